package lab_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// tracer makes spans that reach a collector as they end, and a count of those that have not.
func tracer(t *testing.T, run string) (trace.Tracer, *testkit.SpanStore, *lab.OpenSpans) {
	t.Helper()
	collector, open := testkit.NewSpanStore(), lab.NewOpenSpans(run)
	exporter, err := otlptrace.New(t.Context(), collector)
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ofOrder{}), sdktrace.WithSyncer(exporter), sdktrace.WithSpanProcessor(open))
	return provider.Tracer("test"), collector, open
}

// ofOrder gives spans the attributes of the order in whose context they start.
type ofOrder struct{ sdktrace.SpanProcessor }

func (ofOrder) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	for _, member := range baggage.FromContext(ctx).Members() {
		s.SetAttributes(attribute.String(member.Key(), member.Value()))
	}
}
func (ofOrder) OnEnd(sdktrace.ReadOnlySpan)      {}
func (ofOrder) Shutdown(context.Context) error   { return nil }
func (ofOrder) ForceFlush(context.Context) error { return nil }

// inOrder is the context of an order of the form grpc.
func inOrder(t *testing.T, run string, number int) context.Context {
	t.Helper()
	ctx, err := services.Experiment{Run: run, Form: services.GRPC, Number: number}.WithBaggage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

func TestOpenSpansAreCountedByOrder(t *testing.T) {
	spans, _, open := tracer(t, "this")
	_, first := spans.Start(inOrder(t, "this", 1), "first")
	_, second := spans.Start(inOrder(t, "this", 1), "second")
	_, other := spans.Start(inOrder(t, "this", 2), "of another order")
	_, warmUp := spans.Start(inOrder(t, "that", 1), "of another run")
	_, shared := spans.Start(t.Context(), "of no order")
	counts := func() [2]int { return [2]int{open.Of(services.GRPC, 1), open.Of(services.GRPC, 2)} }
	if got := counts(); got != [2]int{2, 1} {
		t.Errorf("open %v, want 2 of order 1 and 1 of order 2", got)
	}
	second.End()
	warmUp.End()
	shared.End()
	other.End()
	if got := counts(); got != [2]int{1, 0} {
		t.Errorf("open %v, want 1 of order 1", got)
	}
	first.End()
	if got := counts(); got != [2]int{} {
		t.Errorf("open %v, want none", got)
	}
}

// TestAnOpenSpanKeepsAJourneyIncomplete gives an order all the spans that are expected of it, and one more that is
// still open: it may be the last piece of work.
func TestAnOpenSpanKeepsAJourneyIncomplete(t *testing.T) {
	t.Parallel() // in virtual time
	const deadline = 10 * time.Second
	for name, c := range map[string]struct {
		ends time.Duration // after which the open span ends
		want string
		took time.Duration // at the most
	}{
		"it ends in time": {5 * time.Second, "", 6 * time.Second},
		"it does not":     {time.Hour, "a span has not ended", deadline},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spans, collector, open := tracer(t, "run")
				ctx, root := spans.Start(inOrder(t, "run", 0), "POST /orders", trace.WithSpanKind(trace.SpanKindClient))
				for _, hop := range flows.Order().Rows {
					_, step := spans.Start(ctx, string(hop.Step), trace.WithAttributes(attribute.String("tracelab.step", string(hop.Step))))
					step.End()
				}
				_, last := spans.Start(ctx, "the last piece of work")
				root.End()
				timer := time.AfterFunc(c.ends, func() { last.End() })
				defer timer.Stop()

				began := time.Now()
				judging, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				order := lab.WithRoot(rundir.Order{Form: "grpc"}, root.SpanContext())
				state := services.State{Form: services.GRPC, Status: services.Completed}
				reasons, err := lab.Judgement(judging, t, "run", collector, open, []lab.PlacedOrder{order}, []services.State{state})
				if err != nil || len(reasons) != 1 || reasons[0] != c.want {
					t.Errorf("%q, %v, want %q", reasons, err, c.want)
				}
				if took := time.Since(began); took > c.took || took < min(c.ends, deadline) {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
