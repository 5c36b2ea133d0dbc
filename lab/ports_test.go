package lab_test

import (
	"net"
	"testing"

	"tracelab/services"
)

// freePorts finds addresses on 127.0.0.1 that nobody listens on. They are free when it returns; a test that starts
// processes cannot hold them any longer.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // all at the end, so that none is given out twice
		addresses[i] = l.Addr().String()
	}
	return addresses
}

// freeAddresses gives every service an address for HTTP and one for gRPC.
func freeAddresses(t *testing.T) (http, grpc map[string]string) {
	t.Helper()
	http, grpc = map[string]string{}, map[string]string{}
	ports := freePorts(t, 2*len(services.Names()))
	for i, name := range services.Names() {
		http[name], grpc[name] = ports[2*i], ports[2*i+1]
	}
	return http, grpc
}

// receiverAddress finds an address for a receiver: two free ports in a row.
func receiverAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port + 1})
		address := first.Addr().String()
		if closed := first.Close(); closed != nil {
			t.Fatal(closed)
		}
		if err == nil {
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("no two free ports in a row")
	return ""
}
