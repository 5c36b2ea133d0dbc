package otelkgo

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// ScopeName is the instrumentation scope of every span and metric.
const ScopeName = "tracelab/otelkgo"

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

// Instrumentation makes the spans and metrics of kgo clients. It is safe for
// concurrent use, starts no goroutine, and needs no closing.
//
// The zero value is not usable: use New. Its methods, and those of a nil
// pointer, poll, send, handle and commit without spans, metrics and context.
type Instrumentation struct {
	config
	tracer trace.Tracer
	// made is a moment before New returned: clock counts from it.
	made time.Time
	// fields are the headers that the propagator writes.
	fields      []string
	instruments instruments
	sent        counters
	scratches   scratches
	// observed is set once somebody collects the lag: before, nothing is kept
	// for it.
	observed atomic.Bool

	// clients leads from a *kgo.Client to its *clientState while it is open.
	clients sync.Map
	// unknown stands in for the client of a record that came from a client
	// without hooks.
	unknown *clientState
}

// New returns an Instrumentation. An error says which option is wrong or which
// metric the meter provider refuses.
func New(opts ...Option) (*Instrumentation, error) {
	var c config
	for _, o := range opts {
		if o == nil {
			return nil, errors.New("otelkgo: an option is nil")
		}
		o(&c)
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	in := &Instrumentation{
		config: c,
		tracer: c.tracerProvider.Tracer(ScopeName, trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(semconv.SchemaURL)),
		fields: c.propagator.Fields(),
		made:   time.Now().Add(-1), // so that clock never returns 0
	}
	in.scratches.size = maxSpanAttributes + len(c.spanAttributes)
	in.unknown = newClientState(in)
	meter := c.meterProvider.Meter(ScopeName, metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(semconv.SchemaURL))
	var err error
	if in.instruments, err = newInstruments(meter); err != nil {
		return nil, err
	}
	if err := in.observeSent(meter); err != nil {
		return nil, err
	}
	if err := in.observeLag(meter); err != nil {
		return nil, err
	}
	return in, nil
}

// usable returns in, or for a zero value one that does nothing.
func (in *Instrumentation) usable() *Instrumentation {
	if in != nil && in.tracer != nil {
		return in
	}
	idle, _ := New(WithTracerProvider(tracenoop.NewTracerProvider()), WithMeterProvider(metricnoop.NewMeterProvider()),
		WithPropagator(propagation.NewCompositeTextMapPropagator())) // these refuse nothing
	return idle
}

var errNil = errors.New("otelkgo: an argument is nil")
