package otelamqp

import (
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// ScopeName is the instrumentation scope of every span and metric.
const ScopeName = "tracelab/otelamqp"

// Version is the version of the instrumentation scope.
const Version = "0.1.0"

// Instrumentation makes the spans and metrics of AMQP channels. It is safe for
// concurrent use and needs no closing.
//
// The zero value is not usable: use New. Its methods, and those of a nil
// pointer, send, handle and acknowledge without spans, metrics and context.
type Instrumentation struct {
	config
	tracer trace.Tracer
	// made is a moment before New returned: clock counts from it.
	made time.Time
	// fields are the headers that the propagator writes.
	fields      []string
	instruments instruments

	mu      sync.Mutex // guards servers
	servers map[serverKey]*server
	// unknown stands in for the server of a delivery that no Channel of this
	// package received.
	unknown *server
}

// New returns an Instrumentation. An error says which option is wrong or which
// metric the meter provider refuses.
func New(opts ...Option) (*Instrumentation, error) {
	var c config
	for _, o := range opts {
		if o == nil {
			return nil, errors.New("otelamqp: an option is nil")
		}
		o(&c)
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	in := &Instrumentation{
		config:  c,
		tracer:  c.tracerProvider.Tracer(ScopeName, trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(semconv.SchemaURL)),
		fields:  c.propagator.Fields(),
		made:    time.Now().Add(-1), // so that clock never returns 0
		servers: map[serverKey]*server{},
	}
	in.unknown = newEmptyServer(in)
	meter := c.meterProvider.Meter(ScopeName, metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(semconv.SchemaURL))
	var err error
	if in.instruments, err = newInstruments(meter); err != nil {
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

var errNil = errors.New("otelamqp: an argument is nil")

// Channel opens a channel of conn with its instrumentation.
func (in *Instrumentation) Channel(conn *amqp.Connection) (*Channel, error) {
	if conn == nil {
		return nil, errNil
	}
	ch, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	return in.Wrap(conn, ch)
}

// Wrap returns ch, an open channel of conn, with its instrumentation. Use ch
// through the Channel that it returns, and wrap it once: what goes past the
// Channel has no telemetry.
func (in *Instrumentation) Wrap(conn *amqp.Connection, ch *amqp.Channel) (*Channel, error) {
	if conn == nil || ch == nil {
		return nil, errNil
	}
	in = in.usable()
	return newChannel(in.serverOf(conn), ch), nil
}
