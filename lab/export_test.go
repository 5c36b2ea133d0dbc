package lab

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// MedianJourney is the journey that the report draws for a form, as it is in memory.
func (r *Result) MedianJourney(form services.Form) *journey.Journey { return r.medians[form].journey }

// Judge is judge, for orders of one form.
type Judge struct{ *judge }

// NewJudge makes a judge of so many orders of the form grpc that writes its run directory into a folder of the test.
func NewJudge(t *testing.T, run string, orders int, open *OpenSpans) Judge {
	t.Helper()
	out, err := rundir.Create(t.TempDir(), run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Abandon() })
	return Judge{newJudge(judgeConfig{run: run, forms: []services.Form{services.GRPC}, orders: orders, flow: flows.Order(), open: open, out: out, held: 1000})}
}

// Take gives the judge the batches of a store.
func (j Judge) Take(t *testing.T, from *testkit.SpanStore) {
	t.Helper()
	batches, _ := from.From(0)
	for _, batch := range batches {
		(&collector{judge: j.judge}).add(batch)
	}
}

// SpansOf is how many spans belong to the orders of the run, to several or none, and to nothing of the run.
func (j Judge) SpansOf() (form, shared, foreign int) {
	for _, r := range j.records[services.GRPC] {
		if r != nil {
			form += r.spans
		}
	}
	return form, j.shared.count, j.foreign
}

// Judgement waits for the journeys of orders that all took the form grpc, from spans in a store, and says of each why
// it is incomplete, or "". Open counts the spans of the run that have not ended.
func Judgement(ctx context.Context, t *testing.T, run string, store *testkit.SpanStore, open *OpenSpans, orders []PlacedOrder, states []services.State) ([]string, error) {
	t.Helper()
	j := NewJudge(t, run, len(orders), open)
	for _, o := range orders {
		j.answered(o)
	}
	for _, s := range states {
		j.know(s)
	}
	next := 0
	flush := func(context.Context) error {
		batches, _ := store.From(next)
		for _, batch := range batches {
			(&collector{judge: j.judge}).add(batch)
			next++
		}
		return nil
	}
	err := (&awaiting{judge: j.judge, flush: flush}).await(ctx)
	reasons := make([]string, len(j.placed))
	for i, r := range j.placed {
		reasons[i] = r.Incomplete
	}
	return reasons, err
}

// OpenSpans is openSpans.
type OpenSpans = openSpans

// NewOpenSpans is newOpenSpans.
func NewOpenSpans(run string) *OpenSpans { return newOpenSpans(run) }

// Of is how many spans of an order are open.
func (o *openSpans) Of(form services.Form, number int) int { return o.open(orderKey{form, number}) }

// PlacedOrder is order.
type PlacedOrder = order

// WithRoot is the order with the span that the client began it with.
func WithRoot(o rundir.Order, span trace.SpanContext) PlacedOrder {
	return order{o, journey.Ref{Trace: journey.TraceID(span.TraceID()), Span: journey.SpanID(span.SpanID())}}
}

// AccountOf sums up what became of orders that took the form grpc.
func AccountOf(t *testing.T, orders []rundir.Order, states []services.State) Accounts {
	t.Helper()
	j := NewJudge(t, "run", 10, nil)
	for _, o := range orders {
		j.answered(order{Order: o})
	}
	var recorded services.Accounts
	for _, s := range states {
		j.know(s)
		recorded.Accepted++
		switch s.Status {
		case services.Completed:
			recorded.Completed++
		case services.Failed:
			recorded.Failed++
		default:
			recorded.Pending++
		}
	}
	return j.account(services.GRPC, recorded)
}

// Answer tells the judge of an order that was answered.
func (j Judge) Answer(o PlacedOrder) { j.answered(o) }

// TakeFrom gives the judge the batches of a store from the n-th on, and returns how many the store has.
func (j Judge) TakeFrom(t *testing.T, from *testkit.SpanStore, n int) int {
	t.Helper()
	batches, _ := from.From(n)
	for _, batch := range batches {
		(&collector{judge: j.judge}).add(batch)
	}
	return n + len(batches)
}

// Completion is what was measured of an order, in milliseconds, and how many spans came late; 0 before it was measured.
func (j Judge) Completion(number int) (ms float64, late int) {
	ms, _ = j.records[services.GRPC][number].value(measureIndex("completion_ms"))
	return ms, j.late
}

// VerdictOf is what a report says of a generator.
func VerdictOf(g rundir.Generator) string { return onTimeWords(g, "order") }

// OpenSpansOf is how many spans of a lab that stays up have not ended, as it believes.
func OpenSpansOf(l *Live) int {
	l.judge.open.mu.Lock()
	defer l.judge.open.mu.Unlock()
	return max(len(l.judge.open.owner), len(l.judge.open.count))
}

// MostUnderWay is how many units of a lab that stays up may be under way before a stream leaves some out.
const MostUnderWay = mostUnderWay

// NothingWaits tells whether the services of a lab that stays up are done with every message.
func NothingWaits(ctx context.Context, l *Live) bool {
	return l.brokers.nothingWaits(ctx, l.env.system)
}
