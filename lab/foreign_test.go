package lab_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"tracelab/internal/otlp"
	"tracelab/lab"
	"tracelab/services"
)

// TestForeignSpansAreCountedAndLeftOut sends spans of another run while a run receives its own.
func TestForeignSpansAreCountedAndLeftOut(t *testing.T) {
	t.Parallel() // most of it is waiting
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, unchanged)
	foreign := &tracepb.ResourceSpans{ScopeSpans: []*tracepb.ScopeSpans{{}}}
	for range 100 {
		foreign.ScopeSpans[0].Spans = append(foreign.ScopeSpans[0].Spans, &tracepb.Span{Name: "foreign", TraceId: make([]byte, 16), SpanId: make([]byte, 8),
			Attributes: []*commonpb.KeyValue{{Key: services.KeyRun, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "another"}}}}})
	}
	var once sync.Once
	var sending error
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: 3, Seed: 1, Timeout: patience, Deadline: patience, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(),
		Progress: func(at lab.Progress) {
			if at.Stage != "placing orders" {
				return
			}
			once.Do(func() {
				client := otlp.NewTraceClient(endpoint(t, receiver))
				if sending = client.Start(t.Context()); sending == nil {
					sending = client.UploadTraces(t.Context(), []*tracepb.ResourceSpans{foreign})
				}
				_ = client.Stop(t.Context())
			})
		},
	})
	if err != nil || sending != nil {
		t.Fatal(err, sending)
	}
	if result.Foreign < 100 || !slices.ContainsFunc(result.Warnings, func(w string) bool {
		return strings.HasSuffix(w, "spans of nothing that this run placed came, and are left out")
	}) {
		t.Errorf("%d foreign spans, problems %q, warnings %q", result.Foreign, result.Problems, result.Warnings)
	}
}
