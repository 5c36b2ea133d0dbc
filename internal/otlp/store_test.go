package otlp

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = slog.New(slog.DiscardHandler)

// store keeps what a receiver takes.
type store struct {
	mu      sync.Mutex
	batches [][]byte
}

func (s *store) keep(batch []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, batch)
}

// spans lists all spans so far.
func (s *store) spans(t *testing.T) []ptrace.Span {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var spans []ptrace.Span
	for _, batch := range s.batches {
		traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					spans = append(spans, span)
				}
			}
		}
	}
	return spans
}

// receive starts a receiver on free ports, which ends with the test.
func receive(t *testing.T, within timeouts) (s *store, overGRPC, overHTTP string) {
	t.Helper()
	s = &store{}
	receiver, err := startReceiver(ReceiverConfig{Address: "127.0.0.1:0", Keep: s.keep, Logger: discard}, within)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := receiver.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	overGRPC, overHTTP = receiver.Addresses()
	return s, overGRPC, overHTTP
}

// endpoint is an address that the test knows to be right.
func endpoint(t testing.TB, address string) Endpoint {
	t.Helper()
	e, err := ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
