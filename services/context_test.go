package services

import (
	"context"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"tracelab/services/flows"
)

// arrivals notes, for every span, the baggage that was there when it began.
type arrivals struct {
	sdktrace.SpanProcessor
	mu      sync.Mutex
	baggage map[trace.SpanID]baggage.Baggage
}

// OnStart notes.
func (a *arrivals) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.baggage[s.SpanContext().SpanID()] = baggage.FromContext(ctx)
}

// OnEnd does nothing.
func (a *arrivals) OnEnd(sdktrace.ReadOnlySpan) {}

// ForceFlush does nothing.
func (a *arrivals) ForceFlush(context.Context) error { return nil }

// TestContextArrives at every service over every hop: the trace, its state, the experiment, and what the client itself
// has put into the baggage.
func TestContextArrives(t *testing.T) {
	seen := &arrivals{baggage: map[trace.SpanID]baggage.Baggage{}}
	inBubble(t, func(l *testLab) {
		for _, relation := range []Relation{RelationBoth, RelationParent, RelationLink} {
			for _, form := range Forms() {
				e := in(relation.String(), form)
				e.Relation, e.Number = relation, 7
				a := l.place(e, tea, "Tracestate", "vendor=x,other=y", "Baggage", "tenant=acme%20ltd")
				id := l.await(a.id()).ID
				l.until("all steps have ended", func() bool { return len(l.steps(e)) == len(everyStep) })
				services := map[string]bool{}
				for _, span := range l.spansOf(e) {
					services[serviceOf(span)] = true
					name := relation.String() + " " + string(form) + " " + serviceOf(span) + " " + span.Name()
					checkContext(l, name, span, seen, e, id)
					if relation != RelationLink && span.SpanContext().TraceID() != a.trace {
						t.Errorf("%s: is in another trace", name)
					}
				}
				if len(services) != len(Names()) {
					t.Errorf("%s %s: spans of %v only", relation, form, services)
				}
				if relation == RelationLink {
					checkLinks(l, e, a.trace)
				}
			}
		}
	}, func(c *Config) { c.Telemetry.Processors = append(c.Telemetry.Processors, seen) })
}

// checkContext looks at what a span has got from the client.
func checkContext(l *testLab, name string, span sdktrace.ReadOnlySpan, seen *arrivals, e Experiment, id string) {
	l.Helper()
	bag := seen.baggage[span.SpanContext().SpanID()]
	if tenant := bag.Member("tenant").Value(); tenant != "acme ltd" {
		l.Errorf("%s: the client's own baggage is %q here, want it to travel", name, tenant)
	}
	got, err := experimentOf(baggage.ContextWithBaggage(l.Context(), bag), flows.Order())
	if err != nil || got.Form != e.Form || got.Relation != e.Relation || got.Number != e.Number || got.Run != e.Run {
		l.Errorf("%s: the experiment is %+v here, %v, want %+v", name, got, err, e)
	}
	// A trace of its own, as a link begins one, has no state: the link has it.
	if state := span.SpanContext().TraceState().String(); state != "vendor=x,other=y" && e.Relation != RelationLink {
		l.Errorf("%s: tracestate %q, want it as the client sent it", name, state)
	}
	a := attributes(span)
	if _, copied := a["tenant"]; copied {
		l.Errorf("%s: the client's own baggage has become an attribute", name)
	}
	if _, copied := a[KeySeed]; copied {
		l.Errorf("%s: the seed has become an attribute", name)
	}
	if got := a[KeyOrderID].AsString(); got != id && (got != "" || serviceOf(span) != Gateway) {
		l.Errorf("%s: order id %q, want %q", name, got, id)
	}
}

// spansOf are the ended spans of an order's run, form and number.
func (l *testLab) spansOf(e Experiment) []sdktrace.ReadOnlySpan {
	var found []sdktrace.ReadOnlySpan
	for _, span := range l.ended() {
		a := attributes(span)
		if a[KeyRun].AsString() == e.Run && a[KeyForm].AsString() == string(e.Form) && a[KeyNumber].AsString() == itoa(e.Number) && serviceOf(span) != "client" {
			found = append(found, span)
		}
	}
	return found
}

// checkLinks: with relation link each process span is the root of a trace of its own and links to a span of another.
func checkLinks(l *testLab, e Experiment, first trace.TraceID) {
	l.Helper()
	traces := map[trace.TraceID]bool{first: true}
	for _, span := range l.spansOf(e) {
		traces[span.SpanContext().TraceID()] = true
	}
	for _, span := range l.spansOf(e) {
		if span.SpanKind() != trace.SpanKindConsumer {
			continue
		}
		if span.Parent().IsValid() || len(span.Links()) != 1 {
			l.Errorf("%s %s: parent %v and %d links, want a root with one link", e.Form, span.Name(), span.Parent(), len(span.Links()))
			continue
		}
		link := span.Links()[0].SpanContext
		if !traces[link.TraceID()] || link.TraceID() == span.SpanContext().TraceID() {
			l.Errorf("%s %s: the link leads to trace %s, want another one of this order", e.Form, span.Name(), link.TraceID())
		}
	}
}

// TestLogsCarryTheTrace: the line about a step that failed leads to the order's trace.
func TestLogsCarryTheTrace(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("r", form)
			e.Number = int(form[0])
			e.Faults = always(Payment, "error", "bad_luck")
			a := l.place(e, tea)
			l.await(a.id())
			span := l.stepSpans(e)[Charge][0].SpanContext()
			found := false
			for _, record := range l.logs.records("step failed") {
				found = found || record["trace_id"] == a.trace.String() && record["span_id"] == span.SpanID().String() && record["service"] == Payment
			}
			if !found {
				t.Errorf("%s: no log record with trace %s and span %s in %v", form, a.trace, span.SpanID(), l.logs.records("step failed"))
			}
		}
	})
}
