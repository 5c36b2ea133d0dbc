package lab

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"tracelab/journey"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// MedianJourney is the journey that the report draws for a form, as it is in memory.
func (r *Result) MedianJourney(form services.Form) *journey.Journey { return r.paths[form].journey }

// SpansOf is how many spans of a collector belong to the orders of a run, by form, and how many to several or none.
func SpansOf(collector *Collector, run string) (forms map[services.Form]int, shared int, err error) {
	batches, _ := collector.From(0)
	spans, err := sortSpans(batches, run)
	forms = map[services.Form]int{}
	for form, count := range spans.counts {
		forms[form] = count.spans
	}
	return forms, spans.shared.SpanCount(), err
}

// Judgement waits for the journeys of orders that all took the form grpc, from spans in a collector, and says of each
// why it is incomplete, or "". Open counts the spans of a run that have not ended.
func Judgement(ctx context.Context, collector *Collector, open *OpenSpans, orders []PlacedOrder, states []services.State) ([]string, error) {
	env := &environment{collector: collector, open: open}
	_, verdicts, err := judge(ctx, env, services.OrderTopology(), orders, states, func(context.Context) error { return nil })
	reasons := make([]string, len(verdicts))
	for i, v := range verdicts {
		reasons[i] = v.order.Incomplete
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
	o.Trace = span.TraceID().String()
	return order{o, span.SpanID().String()}
}

// AccountOf sums one form up.
func AccountOf(form services.Form, orders []rundir.Order, states []services.State) Accounts {
	placed := make([]order, len(orders))
	for i, o := range orders {
		placed[i].Order = o
	}
	return account(form, placed, states)
}
