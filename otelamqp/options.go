package otelamqp

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Option configures an Instrumentation.
type Option func(*config)

type config struct {
	tracerProvider    trace.TracerProvider
	meterProvider     metric.MeterProvider
	propagator        propagation.TextMapPropagator
	relation          Relation
	relationFunc      func(context.Context, *amqp.Delivery) Relation
	template          func(Destination) string
	conversationID    func(*amqp.Publishing) string
	messageAttributes func(*amqp.Publishing) []attribute.KeyValue
	spanAttributes    []attribute.KeyValue
	metricAttributes  []attribute.KeyValue
	serverAddress     string
	bodySize          bool
	settleSpans       SpanMode
	maxLinks          int
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
// messages. The default is the global propagator at the time of New, which does
// nothing unless the program sets one.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(c *config) { c.propagator = p }
}

// WithRelation sets one relation for all process spans.
func WithRelation(r Relation) Option {
	return func(c *config) { c.relation = r }
}

// WithRelationFunc chooses the relation message by message and goes before
// WithRelation. The context carries the message's own baggage and, as its
// remote span context, the creation context. f must be safe for concurrent use.
func WithRelationFunc(f func(ctx context.Context, d *amqp.Delivery) Relation) Option {
	return func(c *config) { c.relationFunc = f }
}

// WithDestinationTemplate shortens the names of destinations: f turns one into
// a name of which there are few (without a tenant, a run or an order id in it).
// It then stands in the span name and, where it differs from the destination's
// own name, in messaging.destination.template. f must be safe for concurrent
// use, and is called once for each destination and operation.
//
// Without it the template is the name itself, less the name of a queue that the
// server made up.
func WithDestinationTemplate(f func(Destination) string) Option {
	return func(c *config) { c.template = f }
}

// WithServerAddress sets server.address and server.port to a host:port. Without
// it they are the address that the connection reached: a connection does not
// know by which name it was dialed.
func WithServerAddress(hostPort string) Option {
	return func(c *config) { c.serverAddress = hostPort }
}

// WithConversationID sets messaging.message.conversation_id to what f returns,
// unless it is empty. Without it that is the message's correlation id. f gets
// the properties and the headers of the message, without its body when it was
// received, and must be safe for concurrent use.
func WithConversationID(f func(*amqp.Publishing) string) Option {
	return func(c *config) { c.conversationID = f }
}

// WithBodySize sets messaging.message.body.size, which the conventions leave
// out unless it is asked for.
func WithBodySize() Option {
	return func(c *config) { c.bodySize = true }
}

// WithSpanAttributes adds attributes to every span. Those of the conventions
// win over one with the same key. Several calls add up.
func WithSpanAttributes(attrs ...attribute.KeyValue) Option {
	return func(c *config) { c.spanAttributes = cleanAttributes(c.spanAttributes, attrs) }
}

// WithMetricAttributes adds attributes to every metric. Those of the
// conventions win over one with the same key. Several calls add up.
func WithMetricAttributes(attrs ...attribute.KeyValue) Option {
	return func(c *config) { c.metricAttributes = cleanAttributes(c.metricAttributes, attrs) }
}

// WithMessageAttributes adds what f returns to the send and process span of a
// message, and to its link on a batch's span. f gets the properties and the
// headers of the message, those of the context too, without its body when it was
// received. It is called for spans that are recorded and must be safe for
// concurrent use.
func WithMessageAttributes(f func(*amqp.Publishing) []attribute.KeyValue) Option {
	return func(c *config) { c.messageAttributes = f }
}

// WithSettleSpans says which acknowledgements get a span.
func WithSettleSpans(m SpanMode) Option {
	return func(c *config) { c.settleSpans = m }
}

// WithMaxLinks sets how many links a span over several messages gets, 128
// without it, which is the SDK's own limit. Above the SDK's limit links would be
// dropped in silence; those above n are counted on the span, in
// otelamqp.links.omitted.
func WithMaxLinks(n int) Option {
	return func(c *config) { c.maxLinks = n }
}

// complete checks the options and fills in defaults.
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
			return fmt.Errorf("otelamqp: %s is not known: use RelationBoth, RelationParent or RelationLink", c.relation)
		}
		relation := c.relation
		c.relationFunc = func(context.Context, *amqp.Delivery) Relation { return relation }
	}
	if c.template == nil {
		c.template = Destination.lowCardinality
	}
	if err := c.settleSpans.check("WithSettleSpans"); err != nil {
		return err
	}
	switch {
	case c.maxLinks < 0:
		return fmt.Errorf("otelamqp: %d links are too few: give WithMaxLinks a number above 0", c.maxLinks)
	case c.maxLinks == 0:
		c.maxLinks = defaultMaxLinks
	}
	return nil
}
