package otelkgo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// ScopeName is the instrumentation scope of every span and metric.
const ScopeName = "tracelab/otelkgo"

// Instrumentation makes the spans and metrics of kgo clients. It is safe for
// concurrent use, starts no goroutine, and needs no closing.
type Instrumentation struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	// fields are the headers that the propagator writes.
	fields      []string
	relation    func(context.Context, *kgo.Record) Relation
	template    func(topic string) string
	groupName   func(group string) string
	messageID   func(*kgo.Record) string
	maxLinks    int
	instruments instruments
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

// Option configures an Instrumentation.
type Option func(*config)

type config struct {
	tracerProvider trace.TracerProvider
	meterProvider  metric.MeterProvider
	propagator     propagation.TextMapPropagator
	relation       Relation
	relationFunc   func(context.Context, *kgo.Record) Relation
	template       func(string) string
	groupName      func(string) string
	messageID      func(*kgo.Record) string
	maxLinks       int
}

// defaultMaxLinks is the SDK's default limit of links on a span.
const defaultMaxLinks = 128

// WithTracerProvider sets where spans go. The default is the global provider
// at the time of New.
func WithTracerProvider(tp trace.TracerProvider) Option {
	return func(c *config) { c.tracerProvider = tp }
}

// WithMeterProvider sets where metrics go. The default is the global provider
// at the time of New.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return func(c *config) { c.meterProvider = mp }
}

// WithPropagator sets how context is written into and read from the headers of
// records. The default is the global propagator at the time of New, which does
// nothing unless the program sets one.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(c *config) { c.propagator = p }
}

// WithRelation sets one relation for all process spans.
func WithRelation(r Relation) Option {
	return func(c *config) { c.relation = r }
}

// WithRelationFunc chooses the relation record by record and goes before
// WithRelation. The context carries the record's own baggage and, as its
// remote span context, the creation context. f must be safe for concurrent use.
func WithRelationFunc(f func(ctx context.Context, r *kgo.Record) Relation) Option {
	return func(c *config) { c.relationFunc = f }
}

// WithDestinationTemplate names topics for people: f turns the name of a topic
// into one of few names (without a tenant or a run in it), which then stands
// in the span name and, where it differs from the topic, in
// messaging.destination.template. f is called once for each topic and client.
func WithDestinationTemplate(f func(topic string) string) Option {
	return func(c *config) { c.template = f }
}

// WithGroupName names groups in metrics: f turns the name of a group into one of
// few names (without a tenant or a run in it). Spans keep the name as it is. The
// conventions have no template for groups as they have for topics. f is called
// again and again.
func WithGroupName(f func(group string) string) Option {
	return func(c *config) { c.groupName = f }
}

// WithMessageID has f name messages: what it returns, unless it is empty, is
// messaging.message.id. Kafka itself has no such id; a header of the
// application may hold one.
func WithMessageID(f func(*kgo.Record) string) Option {
	return func(c *config) { c.messageID = f }
}

// WithMaxLinks sets how many links a poll or batch span gets, 128 without it,
// which is the SDK's own limit. Above the SDK's limit links would be dropped in
// silence; those above n are counted on the span, in otelkgo.links.omitted.
func WithMaxLinks(n int) Option {
	return func(c *config) { c.maxLinks = n }
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
		tracer:     c.tracerProvider.Tracer(ScopeName, trace.WithSchemaURL(semconv.SchemaURL)),
		propagator: c.propagator,
		fields:     c.propagator.Fields(),
		relation:   c.relationFunc,
		template:   c.template,
		groupName:  c.groupName,
		messageID:  c.messageID,
		maxLinks:   c.maxLinks,
	}
	in.unknown = newClientState(in)
	meter := c.meterProvider.Meter(ScopeName, metric.WithSchemaURL(semconv.SchemaURL))
	var err error
	if in.instruments, err = newInstruments(meter); err != nil {
		return nil, err
	}
	return in, in.observeLag(meter)
}

// complete fills in defaults and refuses what cannot be.
func (c *config) complete() error {
	if c.tracerProvider == nil {
		c.tracerProvider = otel.GetTracerProvider()
	}
	if c.meterProvider == nil {
		c.meterProvider = otel.GetMeterProvider()
	}
	if c.propagator == nil {
		c.propagator = otel.GetTextMapPropagator()
	}
	if c.relationFunc == nil {
		if int(c.relation) >= len(relationNames) {
			return fmt.Errorf("otelkgo: %s is not known: use RelationBoth, RelationParent or RelationLink", c.relation)
		}
		relation := c.relation
		c.relationFunc = func(context.Context, *kgo.Record) Relation { return relation }
	}
	if c.template == nil {
		c.template = func(topic string) string { return topic }
	}
	if c.groupName == nil {
		c.groupName = func(group string) string { return group }
	}
	if c.messageID == nil {
		c.messageID = func(*kgo.Record) string { return "" }
	}
	switch {
	case c.maxLinks < 0:
		return fmt.Errorf("otelkgo: %d links are too few: give WithMaxLinks a number above 0", c.maxLinks)
	case c.maxLinks == 0:
		c.maxLinks = defaultMaxLinks
	}
	return nil
}
