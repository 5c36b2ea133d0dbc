package otelamqp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
)

// durationBuckets are the boundaries that the conventions give for both
// durations, in seconds.
var durationBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// instruments are the metrics.
type instruments struct {
	operation metric.Float64Histogram // messaging.client.operation.duration
	process   metric.Float64Histogram // messaging.process.duration
	sent      metric.Int64Counter     // messaging.client.sent.messages
	consumed  metric.Int64Counter     // messaging.client.consumed.messages
}

func newInstruments(m metric.Meter) (instruments, error) {
	buckets := metric.WithExplicitBucketBoundaries(durationBuckets...)
	operation, err := messagingconv.NewClientOperationDuration(m, buckets)
	if err != nil {
		return instruments{}, fmt.Errorf("otelamqp: metric %s: %w", operation.Name(), err)
	}
	process, err := messagingconv.NewProcessDuration(m, buckets)
	if err != nil {
		return instruments{}, fmt.Errorf("otelamqp: metric %s: %w", process.Name(), err)
	}
	sent, err := messagingconv.NewClientSentMessages(m)
	if err != nil {
		return instruments{}, fmt.Errorf("otelamqp: metric %s: %w", sent.Name(), err)
	}
	consumed, err := messagingconv.NewClientConsumedMessages(m)
	if err != nil {
		return instruments{}, fmt.Errorf("otelamqp: metric %s: %w", consumed.Name(), err)
	}
	return instruments{operation.Inst(), process.Inst(), sent.Inst(), consumed.Inst()}, nil
}

// measure is one set of attributes, as options for both kinds of instrument.
type measure struct {
	record []metric.RecordOption
	add    []metric.AddOption
}

func newMeasure(attrs ...attribute.KeyValue) *measure {
	set := metric.WithAttributeSet(attribute.NewSet(attrs...))
	return &measure{record: []metric.RecordOption{set}, add: []metric.AddOption{set}}
}

// of returns the measure of an operation that came to err. Failures are rare, so
// theirs is made each time.
func (o *operation) of(err error) *measure {
	if err == nil {
		return o.measure
	}
	return newMeasure(append(slices.Clone(o.measured), semconv.ErrorTypeKey.String(errorType(err)))...)
}

// clock returns the time since in was made, or 0 when nobody measures the
// duration.
func (in *Instrumentation) clock(ctx context.Context, h metric.Float64Histogram) time.Duration {
	if !h.Enabled(ctx) {
		return 0
	}
	return time.Since(in.made)
}

// measureDuration records the time since start, which clock returned.
func (in *Instrumentation) measureDuration(ctx context.Context, h metric.Float64Histogram, start time.Duration, m *measure) {
	if start != 0 {
		h.Record(ctx, (time.Since(in.made) - start).Seconds(), m.record...)
	}
}
