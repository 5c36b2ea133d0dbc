package services

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// TestHopFaultsOfAnyFlow: a flow whose names the code has never seen has all kinds of faults of hops in all forms. They act on the same units in
// each form that has such a hop, and every unit comes to its end.
func TestHopFaultsOfAnyFlow(t *testing.T) {
	t.Parallel() // in virtual time
	const units = 10
	f := parsed(t, parcel)
	inBubble(t, func(l *testLab) {
		for _, kind := range testkit.Few(3, []string{faults.DropContext, faults.Duplicate, faults.Reorder, faults.DropBaggage, faults.DoubleTraceparent, faults.Unsample, faults.Poison}) {
			fault, err := ParseFault(f, "desk:"+kind+"@0.5")
			l.must(err)
			want := map[Form]int{}
			for number := range units {
				placed := map[Form]string{} // one unit in each form at a time: they wait together
				for _, form := range f.Forms() {
					e := Experiment{Run: kind, Form: form, Flow: f.Name, Number: number, Seed: 7, Faults: []faults.Fault{fault}}
					body := f.DrawBody(e.Draw("placement"))
					if e.Hits(fault) && (!fault.ActsOnMessages() || l.sends("desk", f, e, body)) {
						want[form]++
					}
					a := l.place(e, body)
					if a.id() == "" {
						l.Fatalf("%s of %s: answered %d %s", kind, form, a.status, a.body)
					}
					placed[form] = a.id()
				}
				for form, id := range placed {
					if s := l.await(id); s.Status != Completed || s.Form != form || s.Number != number {
						l.Errorf("%s of %s: unit %d is %s, of %s with number %d", kind, form, number, s.Status, s.Form, s.Number)
					}
				}
			}
			fired := l.system.Fired(kind)
			for _, form := range f.Forms() {
				if got := fired[form][fault.String()]; got != want[form] || !fault.ActsOnMessages() && got != 5 {
					l.Errorf("%s fired on %d units of %s, want %d", kind, got, form, want[form])
				}
			}
		}
	}, withFlow(t, f))
}

// sends tells whether a service sends a message for a unit.
func (l *testLab) sends(service string, f *flows.Flow, e Experiment, body Placement) bool {
	l.Helper()
	texts := map[string]string{}
	for field, value := range body {
		texts[field] = fmt.Sprint(value)
	}
	plan, err := f.Plan(e.Form, e.Skipped(f, texts)...)
	l.must(err)
	return slices.ContainsFunc(plan.Hops, func(h flows.Hop) bool {
		return h.By.IsMessage() && slices.ContainsFunc(h.After, func(s Step) bool { return plan.Holder(s).Service() == service })
	})
}

// TestContextFaultsOverRabbitMQ: the same faults act there, but for a doubled header, which its client cannot write.
func TestContextFaultsOverRabbitMQ(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		reached := map[string]bool{} // payment's work is in the client's trace
		for _, kind := range []string{"", faults.DropContext, faults.DropBaggage, faults.DoubleTraceparent, faults.Unsample} {
			e := in("r"+kind, "rabbitmq")
			if kind != "" {
				e.Faults = []faults.Fault{{Service: "inventory", Kind: kind, Share: 1}}
			}
			a := l.place(e, tea)
			if s := l.await(a.id()); s.Status != Completed || s.Form != "rabbitmq" {
				l.Errorf("%s: %s, of %s", kind, s.Status, s.Form)
			}
			reached[kind] = slices.ContainsFunc(l.ended(), func(s sdktrace.ReadOnlySpan) bool {
				return s.Name() == string(Charge) && s.SpanContext().TraceID() == a.trace
			})
		}
		want := map[string]bool{"": true, faults.DropContext: false, faults.DropBaggage: true, faults.DoubleTraceparent: true, faults.Unsample: false}
		if diff := cmp.Diff(want, reached); diff != "" {
			l.Errorf("payment's work is in the client's trace (-want +got):\n%s", diff)
		}
		if fired := l.system.Fired("r" + faults.DoubleTraceparent)["rabbitmq"]; len(fired) > 0 {
			l.Errorf("fired: %v", fired)
		}
	})
}

// TestSecondParent names the same trace and another span.
func TestSecondParent(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		e := in("r", GRPC)
		e.Faults = []faults.Fault{{Service: "orders", Kind: faults.DoubleTraceparent, Share: 1}}
		ctx, err := e.WithBaggage(context.Background())
		l.must(err)
		hops := hopFaults{l.config.Telemetry.Propagator, "orders", l.config.flow(), &firedFaults{}}
		if got := hops.SecondTraceparent(ctx); got != "" {
			l.Errorf("without a span: %q", got)
		}
		sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		want := "00-01000000000000000000000000000000-585a5a5a5a5a5a5a-01"
		if got := hops.SecondTraceparent(trace.ContextWithSpanContext(ctx, sc)); got != want {
			l.Errorf("%q, want %q", got, want)
		}
	})
}
