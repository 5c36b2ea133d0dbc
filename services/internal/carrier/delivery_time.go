package carrier

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tracelab/internal/telemetry"
)

// deliveryTime is the metric tracelab.message.delivery.duration: the time from a message's timestamp (the producer's clock) to the start of its
// process span. It is not the queue wait of a journey, which begins later, with the broker's acknowledgement.
type deliveryTime struct {
	histogram metric.Float64Histogram
	config    BrokerConfig
	sets      *sync.Map // deliveryKey to []metric.RecordOption
}

// deliveryKey holds the labels that vary: few topics, few forms.
type deliveryKey struct{ topic, form string }

func newDeliveryTime(config BrokerConfig) (deliveryTime, error) {
	meter := config.Provider.Meters.Meter(telemetry.Scope, metric.WithSchemaURL(semconv.SchemaURL))
	histogram, err := meter.Float64Histogram("tracelab.message.delivery.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a message's timestamp to the start of its process span."),
		metric.WithExplicitBucketBoundaries(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300))
	if err != nil {
		return deliveryTime{}, fmt.Errorf("metrics of %s's messages: %w", config.Service, err)
	}
	return deliveryTime{histogram: histogram, config: config, sets: &sync.Map{}}, nil
}

// record records the time until now, when the process span of ctx starts. A timestamp in the future comes from another clock and counts as 0.
func (t deliveryTime) record(ctx context.Context, d Delivery) {
	if !t.histogram.Enabled(ctx) {
		return
	}
	key := deliveryKey{d.Topic, t.config.Provider.Form(ctx)}
	options, ok := t.sets.Load(key)
	if !ok {
		options, _ = t.sets.LoadOrStore(key, []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("tracelab.form", key.form), semconv.MessagingDestinationName(key.topic),
			semconv.MessagingConsumerGroupName(t.config.Service)))})
	}
	t.histogram.Record(ctx, max(0, time.Since(d.Sent)).Seconds(), options.([]metric.RecordOption)...)
}
