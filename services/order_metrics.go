package services

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tracelab/internal/telemetry"
)

// Refused is the status of a placement that made no order. It is in the metrics only: there is no order to have it.
const Refused Status = "refused"

// otherForm stands in the metrics for a form that there is not: what a client writes must not name a series.
const otherForm Form = "_OTHER"

// orderMetrics are the accounts as metrics, by form and status. With all orders final,
//
//	tracelab.orders{accepted} = {completed} + {failed}
//
// and the histogram has a point for each of the latter.
type orderMetrics struct {
	orders   metric.Int64Counter     // tracelab.orders
	duration metric.Float64Histogram // tracelab.order.duration
	sets     map[Form]map[Status]metric.MeasurementOption
}

// newOrderMetrics makes them. They exist from the start with the value 0: a rate needs a value before the first one.
func newOrderMetrics(p *telemetry.Provider, forms []Form, statuses ...Status) (orderMetrics, error) {
	m := orderMetrics{sets: map[Form]map[Status]metric.MeasurementOption{}}
	meter := p.Meters.Meter(telemetry.Scope, metric.WithSchemaURL(semconv.SchemaURL))
	var errs [2]error
	m.orders, errs[0] = meter.Int64Counter("tracelab.orders", metric.WithUnit("{order}"),
		metric.WithDescription("Orders by form and by what became of them: accepted, then completed or failed; or refused."))
	m.duration, errs[1] = meter.Float64Histogram("tracelab.order.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from the acceptance of an order to its final state."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30))
	if err := errors.Join(errs[:]...); err != nil {
		return m, fmt.Errorf("metrics of orders: %w", err)
	}
	for _, form := range append(slices.Clone(forms), otherForm) {
		m.sets[form] = map[Status]metric.MeasurementOption{}
		for _, status := range []Status{Accepted, Refused, Completed, Failed} {
			m.sets[form][status] = metric.WithAttributeSet(attribute.NewSet(
				attribute.String(KeyForm, string(form)), attribute.String("tracelab.order.status", string(status))))
		}
		if form == otherForm {
			continue
		}
		for _, status := range statuses {
			m.orders.Add(context.Background(), 0, m.sets[form][status])
		}
	}
	return m, nil
}

// count counts an order that was accepted, or refused.
func (m orderMetrics) count(ctx context.Context, form Form, status Status) {
	if m.sets[form] == nil {
		form = otherForm
	}
	m.orders.Add(ctx, 1, m.sets[form][status])
}

// ended counts an order that has become final, with how long it took. The context has the span of the work that ended
// it, which the exemplars lead to.
func (m orderMetrics) ended(ctx context.Context, end *ending) {
	if end == nil {
		return
	}
	m.count(ctx, end.form, end.status)
	m.duration.Record(ctx, end.after.Seconds(), m.sets[end.form][end.status])
}
