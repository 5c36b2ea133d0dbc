package services

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tracelab/internal/telemetry"
)

// measure makes the gauge of the messages that wait in the outbox. Processes that share a store all tell of the whole.
func (o *outbox) measure() error {
	meter := o.node.telemetry.Meters.Meter(telemetry.Scope, metric.WithSchemaURL(semconv.SchemaURL))
	_, err := meter.Int64ObservableGauge("tracelab.outbox.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Messages in the outbox, which the broker does not have yet, or is being asked to take."),
		metric.WithInt64Callback(func(ctx context.Context, observer metric.Int64Observer) error {
			ctx, cancel := bounded(ctx)
			defer cancel()
			n, err := o.store.Backlog(ctx)
			if err != nil {
				return fmt.Errorf("count the messages in the outbox: %w", err)
			}
			observer.Observe(int64(n))
			return nil
		}))
	if err != nil {
		return fmt.Errorf("metrics of the outbox: %w", err)
	}
	return nil
}
