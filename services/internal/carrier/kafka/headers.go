package kafka

import (
	"context"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
)

// doubled adds a second traceparent to a record where a fault wants one. It comes after the instrumentation, which sets the first.
type doubled struct{ propagator propagation.TextMapPropagator }

// OnProduceRecordBuffered adds it before the record is sent.
func (d doubled) OnProduceRecordBuffered(r *kgo.Record) {
	if r.Context == nil {
		return
	}
	if second := carrier.SecondTraceparent(r.Context, d.propagator); second != "" {
		r.Headers = append(slices.Clip(r.Headers), kgo.RecordHeader{Key: "traceparent", Value: []byte(second)})
	}
}

// written records the headers of a record on its send span. It comes after the instrumentation, whose hook begins that span and writes
// the context.
type written struct{ headers telemetry.Headers }

// OnProduceRecordBuffered records the headers before the record is sent.
func (h written) OnProduceRecordBuffered(r *kgo.Record) {
	if h.headers.On() && r.Context != nil {
		h.headers.Record(trace.SpanFromContext(r.Context), telemetry.MessageHeader, headersOf(r))
	}
}

// recorded records the headers of a received record on its process span.
func (k *Broker) recorded(ctx context.Context, r *kgo.Record) {
	if headers := k.config.Provider.Headers; headers.On() {
		headers.Record(trace.SpanFromContext(ctx), telemetry.MessageHeader, headersOf(r))
	}
}

// headersOf yields a record's headers in their order, doubled ones included.
func headersOf(r *kgo.Record) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, h := range r.Headers {
			if !yield(h.Key, string(h.Value)) {
				return
			}
		}
	}
}
