package otlp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	colmetricpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

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

// serveMetrics is an endpoint for metrics over HTTP that reads with the protobuf library.
func serveMetrics(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, proto.Unmarshal(body, &colmetricpb.ExportMetricsServiceRequest{})); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// spansToSend are spans as an exporter sends them.
func spansToSend(n int) []*tracepb.ResourceSpans {
	spans := make([]*tracepb.Span, n)
	for i := range spans {
		s := &tracepb.Span{Name: "POST /orders", TraceId: make([]byte, 16), SpanId: make([]byte, 8)}
		for _, key := range []string{"http.request.method", "http.route", "url.scheme", "server.address", "user_agent.original", "tracelab.run.id", "tracelab.form", "tracelab.order.id", "tracelab.step", "error.type"} {
			s.Attributes = append(s.Attributes, &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "a value of some length"}}})
		}
		spans[i] = s
	}
	return []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}
}
