package lab_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/lab"
	"tracelab/services"
)

// refusing takes no batch with a span of shipping's step, and counts the spans of orders in those batches.
type refusing struct {
	sdktrace.SpanExporter
	dropped *atomic.Int64
}

// ExportSpans refuses or passes on.
func (r refusing) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if !slices.ContainsFunc(spans, func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "shipping.Dispatch" }) {
		return r.SpanExporter.ExportSpans(ctx, spans)
	}
	for _, s := range spans {
		for _, a := range s.Attributes() {
			if a.Key == services.KeyRun {
				r.dropped.Add(1)
			}
		}
	}
	return errors.New("it is away")
}

// TestSpansThatServicesElsewhereDropAreCounted: the run's sum is what its services could not send, in seven processes' queues.
func TestSpansThatServicesElsewhereDropAreCounted(t *testing.T) {
	var dropped atomic.Int64
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, func(e sdktrace.SpanExporter) sdktrace.SpanExporter { return refusing{e, &dropped} })
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: 4, Seed: 1, Deadline: time.Second, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for form, f := range result.Forms {
		if f.Dropped == 0 {
			t.Errorf("%s: no span was dropped", form)
		}
		sum += f.Dropped
	}
	if sum != dropped.Load() {
		t.Errorf("the run says that %d spans were dropped, it were %d", sum, dropped.Load())
	}
	want := fmt.Sprintf("%d spans were dropped by the services", dropped.Load())
	if !slices.ContainsFunc(result.Problems, func(p string) bool { return strings.Contains(p, want) }) {
		t.Errorf("problems %q, want %q", result.Problems, want)
	}
}
