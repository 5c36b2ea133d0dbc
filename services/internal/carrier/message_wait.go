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

// messageWait is the metric tracelab.message.wait.duration: how long a message waited, from its timestamp (the
// producer's clock) to the start of its process span.
type messageWait struct {
	histogram metric.Float64Histogram
	config    BrokerConfig
	sets      *sync.Map // waitKey to []metric.RecordOption
}

// waitKey is what the series of the metric differ in: few topics, few forms.
type waitKey struct{ topic, form string }

func newMessageWait(config BrokerConfig) (messageWait, error) {
	meter := config.Provider.Meters.Meter(telemetry.Scope, metric.WithSchemaURL(semconv.SchemaURL))
	histogram, err := meter.Float64Histogram("tracelab.message.wait.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a message's timestamp to the start of its process span."),
		metric.WithExplicitBucketBoundaries(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300))
	if err != nil {
		return messageWait{}, fmt.Errorf("metrics of %s's messages: %w", config.Service, err)
	}
	return messageWait{histogram: histogram, config: config, sets: &sync.Map{}}, nil
}

// record takes the context of the process span, which starts now. A timestamp in the future comes from another clock: no
// wait.
func (w messageWait) record(ctx context.Context, d Delivery) {
	if !w.histogram.Enabled(ctx) {
		return
	}
	key := waitKey{d.Topic, w.config.Provider.Form(ctx)}
	options, ok := w.sets.Load(key)
	if !ok {
		options, _ = w.sets.LoadOrStore(key, []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String("tracelab.form", key.form), semconv.MessagingDestinationName(key.topic),
			semconv.MessagingConsumerGroupName(w.config.Service)))})
	}
	w.histogram.Record(ctx, max(0, time.Since(d.Sent)).Seconds(), options.([]metric.RecordOption)...)
}
