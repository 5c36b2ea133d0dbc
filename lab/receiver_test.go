package lab_test

import (
	"errors"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
)

// startReceiver starts a receiver on free ports, which ends with the test.
func startReceiver(t *testing.T) (collector *testkit.SpanStore, overGRPC, overHTTP string) {
	t.Helper()
	collector = testkit.NewSpanStore()
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: collector.Add, Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := receiver.Close(t.Context()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
	overGRPC, overHTTP = receiver.Addresses()
	return collector, overGRPC, overHTTP
}

// collected lists the spans that a collector has.
func collected(t *testing.T, collector *testkit.SpanStore) []ptrace.Span {
	t.Helper()
	var spans []ptrace.Span
	batches, _ := collector.From(0)
	for _, batch := range batches {
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
