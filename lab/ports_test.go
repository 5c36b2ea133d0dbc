package lab_test

import (
	"testing"

	"tracelab/internal/freeport"
	"tracelab/services/flows"
)

// freePorts finds addresses on 127.0.0.1 that nobody listens on. They are free when it returns; a test that starts
// processes cannot hold them any longer.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	addresses, err := freeport.InARow(n)
	if err != nil {
		t.Fatal(err)
	}
	return addresses
}

// freeAddresses gives every service an address for HTTP and one for gRPC.
func freeAddresses(t *testing.T) (http, grpc map[string]string) {
	t.Helper()
	http, grpc = map[string]string{}, map[string]string{}
	ports := freePorts(t, 2*len(flows.Order().Services()))
	for i, name := range flows.Order().Services() {
		http[name], grpc[name] = ports[2*i], ports[2*i+1]
	}
	return http, grpc
}

// receiverAddress finds an address for a receiver, which takes the next port, too.
func receiverAddress(t *testing.T) string {
	t.Helper()
	return freePorts(t, 2)[0]
}
