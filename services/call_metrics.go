package services

import (
	"context"
	"errors"
	"fmt"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
)

// overBudget is why another attempt at a call is refused, in the metrics only: the call fails for the reason of its last attempt.
const overBudget = "retry_budget_spent"

// callMetrics are how calls went, of a service that makes some with a policy or has workers.
type callMetrics struct {
	retries metric.Int64Counter // tracelab.call.retries
	refused metric.Int64Counter // tracelab.call.refused
	trips   metric.Int64Counter // tracelab.breaker.trips
}

// newCallMetrics makes them. The gauges of breakers and workers are there for those that the service has.
func newCallMetrics(n *node) (callMetrics, error) {
	var m callMetrics
	meter := n.telemetry.Meters.Meter(telemetry.Scope, metric.WithSchemaURL(semconv.SchemaURL))
	var errs [6]error
	m.retries, errs[0] = meter.Int64Counter("tracelab.call.retries", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts at calls behind the first ones, by the step that was called."))
	m.refused, errs[1] = meter.Int64Counter("tracelab.call.refused", metric.WithUnit("{call}"),
		metric.WithDescription("Calls, or other attempts at them, that were refused before their step began, by step and reason."))
	m.trips, errs[2] = meter.Int64Counter("tracelab.breaker.trips", metric.WithUnit("{trip}"),
		metric.WithDescription("Times that a circuit breaker opened, by the step that is called through it."))
	for step, p := range n.policies { // a rate needs a value before the first one
		if p.budget != nil {
			m.retries.Add(context.Background(), 0, stepSet(step))
			m.refused.Add(context.Background(), 0, refusedSet(step, overBudget))
		}
		if p.row.Timeout > 0 {
			m.refused.Add(context.Background(), 0, refusedSet(step, carrier.Timeout))
		}
		if p.bulkhead != nil {
			m.refused.Add(context.Background(), 0, refusedSet(step, carrier.BulkheadFull))
		}
		if p.breaker == nil {
			continue
		}
		m.refused.Add(context.Background(), 0, refusedSet(step, carrier.BreakerOpen))
		_, err := meter.Int64ObservableGauge("tracelab.breaker.state", metric.WithUnit("{state}"),
			metric.WithDescription("Of a circuit breaker, by step: 0 closed, 1 half-open, 2 open."),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(breakerState(p.breaker.State()), stepSet(step))
				return nil
			}))
		errs[3] = errors.Join(errs[3], err)
		m.trips.Add(context.Background(), 0, stepSet(step))
	}
	if w := n.workers; w != nil {
		for _, step := range n.flow.StepsOf(n.name) {
			m.refused.Add(context.Background(), 0, refusedSet(step, carrier.QueueFull))
		}
		_, errs[4] = meter.Int64ObservableGauge("tracelab.workers.busy", metric.WithUnit("{worker}"),
			metric.WithDescription("Workers of the service that have a call or a message."),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(int64(len(w.free)))
				return nil
			}))
		_, errs[5] = meter.Int64ObservableGauge("tracelab.workers.waiting", metric.WithUnit("{call}"),
			metric.WithDescription("Calls that wait for a worker of the service."),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(w.waiting.Load())
				return nil
			}))
	}
	if err := errors.Join(errs[:]...); err != nil {
		return m, fmt.Errorf("metrics of the calls of %s: %w", n.name, err)
	}
	return m, nil
}

// breakerState is the number of a state in the metrics: the order in which it lets fewer calls through.
func breakerState(s circuitbreaker.State) int64 {
	switch s {
	case circuitbreaker.OpenState:
		return 2
	case circuitbreaker.HalfOpenState:
		return 1
	}
	return 0
}

// stepSet is the attribute set of a step.
func stepSet(step Step) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String(KeyStep, string(step))))
}

// refusedSet is the attribute set of a call that was refused.
func refusedSet(step Step, reason string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String(KeyStep, string(step)), semconv.ErrorTypeKey.String(reason)))
}
