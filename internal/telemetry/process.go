package telemetry

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/otelconv"
)

// runtimeInterval is the shortest time between two reads of the runtime's statistics: each stops the world for some microseconds.
const runtimeInterval = time.Second

// observeProcess adds metrics of the process to a meter provider: of the Go runtime, and of the span queue if there is one.
func observeProcess(meters metric.MeterProvider, processors []sdktrace.SpanProcessor) error {
	if err := runtime.Start(runtime.WithMeterProvider(meters), runtime.WithMinimumReadMemStatsInterval(runtimeInterval)); err != nil {
		return fmt.Errorf("metrics of the go runtime: %w", err)
	}
	for i, p := range processors {
		if q, ok := p.(*Queue); ok {
			if err := q.observe(meters.Meter(Scope, metric.WithSchemaURL(semconv.SchemaURL)), i); err != nil {
				return fmt.Errorf("metrics of the span queue: %w", err)
			}
		}
	}
	return nil
}

// queueInstruments are the conventions' instruments for an SDK that observes itself.
type queueInstruments struct {
	started         otelconv.SDKSpanStartedObservable
	processed       otelconv.SDKProcessorSpanProcessedObservable
	exported        otelconv.SDKExporterSpanExportedObservable
	waits, capacity metric.Int64ObservableUpDownCounter
}

// observe registers the queue's sums with a meter. In the conventions' words, once all sampled spans have ended:
//
//	otel.sdk.span.started = otel.sdk.exporter.span.exported (all error.type) + otel.sdk.processor.span.processed (with an error.type)
//
// and, of these, exported is the part without error.type, and dropped the part with one.
func (q *Queue) observe(m metric.Meter, number int) error {
	var in queueInstruments
	var errs [5]error
	in.started, errs[0] = otelconv.NewSDKSpanStartedObservable(m)
	in.processed, errs[1] = otelconv.NewSDKProcessorSpanProcessedObservable(m)
	in.exported, errs[2] = otelconv.NewSDKExporterSpanExportedObservable(m)
	var size otelconv.SDKProcessorSpanQueueSize
	var capacity otelconv.SDKProcessorSpanQueueCapacity
	size, errs[3] = otelconv.NewSDKProcessorSpanQueueSize(m)
	capacity, errs[4] = otelconv.NewSDKProcessorSpanQueueCapacity(m)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	in.waits, in.capacity = size.Inst(), capacity.Inst()
	processor := component("tracelab_span_queue", number)
	exporter := component(typeName(q.exporter), number)
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		q.observeSums(o, in, processor, exporter)
		return nil
	}, in.started.Inst(), in.processed.Inst(), in.exported.Inst(), in.waits, in.capacity)
	return err
}

// observeSums observes all of the queue at one moment. It reads the growing sums in the order in which started is never
// smaller than the sum of the others.
func (q *Queue) observeSums(o metric.Observer, in queueInstruments, processor, exporter []attribute.KeyValue) {
	with := func(attrs []attribute.KeyValue, why reason) metric.ObserveOption {
		return metric.WithAttributes(append(attrs[:len(attrs):len(attrs)], semconv.ErrorTypeKey.String(dropReasons[why]))...)
	}
	submitted := q.exported.Load()
	o.ObserveInt64(in.exported.Inst(), submitted, metric.WithAttributes(exporter...))
	for why := range reason(len(dropReasons)) {
		n := q.dropped[why].Load()
		if why == serviceKilled && n == 0 { // a process that lives has none, unless it is a lab
			continue
		}
		if why == queueFull || why == queueShutDown || why == serviceKilled {
			o.ObserveInt64(in.processed.Inst(), n, with(processor, why))
			continue
		}
		submitted += n
		o.ObserveInt64(in.exported.Inst(), n, with(exporter, why))
	}
	o.ObserveInt64(in.processed.Inst(), submitted, metric.WithAttributes(processor...))
	o.ObserveInt64(in.started.Inst(), q.started.Load(),
		metric.WithAttributes(in.started.AttrSpanSamplingResult(otelconv.SpanSamplingResultRecordAndSample)))
	o.ObserveInt64(in.waits, int64(len(q.spans)), metric.WithAttributes(processor...))
	o.ObserveInt64(in.capacity, int64(cap(q.spans)), metric.WithAttributes(processor...))
}

// component names a part of the SDK as the conventions want it: its type, and type/number.
func component(kind string, number int) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.OTelComponentTypeKey.String(kind), semconv.OTelComponentName(fmt.Sprintf("%s/%d", kind, number))}
}

// typeName returns the full name of a value's type, which the conventions want for a component without a name of theirs.
func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() + "." + t.Name()
}
