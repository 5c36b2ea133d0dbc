package otelkgo

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Option configures an Instrumentation.
type Option func(*config)

type config struct {
	tracerProvider   trace.TracerProvider
	meterProvider    metric.MeterProvider
	propagator       propagation.TextMapPropagator
	strictHeaders    bool
	relation         Relation
	relationFunc     func(context.Context, *kgo.Record) Relation
	template         func(string) string
	groupName        func(string) string
	messageID        func(*kgo.Record) string
	conversationID   func(*kgo.Record) string
	recordAttributes func(*kgo.Record) []attribute.KeyValue
	spanAttributes   []attribute.KeyValue
	metricAttributes []attribute.KeyValue
	withoutKey       bool
	pollSpans        SpanMode
	commitSpans      SpanMode
	maxLinks         int
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

// WithStrictHeaders shows the propagator every traceparent of a record, so that
// a strict one can refuse a doubled header as it does over HTTP. Without it the
// last one counts, as in Kafka's own lastHeader. In both cases the process
// span has otelkgo.traceparent.count.
func WithStrictHeaders() Option {
	return func(c *config) { c.strictHeaders = true }
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

// WithDestinationTemplate shortens the names of topics: f turns the name of a
// topic into one of few names (without a tenant or a run in it), which then
// stands in the span name and, where it differs from the topic, in
// messaging.destination.template. f is called once for each topic and client.
func WithDestinationTemplate(f func(topic string) string) Option {
	return func(c *config) { c.template = f }
}

// WithGroupName shortens the names of groups in metrics: f turns the name of a
// group into one of few names (without a tenant or a run in it). Spans keep the
// name as it is: the conventions have no template for groups. f must be safe for
// concurrent use.
func WithGroupName(f func(group string) string) Option {
	return func(c *config) { c.groupName = f }
}

// WithMessageID sets messaging.message.id to what f returns, unless it is empty.
// Kafka has no such id; a header of the application may hold one, for which
// there is HeaderValue. f must be safe for concurrent use.
func WithMessageID(f func(*kgo.Record) string) Option {
	return func(c *config) { c.messageID = f }
}

// WithConversationID sets messaging.message.conversation_id to what f returns,
// unless it is empty: the id of the order, request or session that the messages
// belong to. HeaderValue takes it from a header. f must be safe for concurrent
// use.
func WithConversationID(f func(*kgo.Record) string) Option {
	return func(c *config) { c.conversationID = f }
}

// HeaderValue returns a function for WithMessageID and WithConversationID that
// reads a header of the record, the last one with this key.
func HeaderValue(key string) func(*kgo.Record) string {
	return func(r *kgo.Record) string { return RecordCarrier{r}.Get(key) }
}

// WithoutMessageKey leaves out messaging.kafka.message.key, for topics whose
// keys are personal data.
func WithoutMessageKey() Option {
	return func(c *config) { c.withoutKey = true }
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

// WithRecordAttributes adds what f returns to the create, send and process span
// of a record, and to its link on a batch's span. f is called for spans that
// are recorded and must be safe for concurrent use.
func WithRecordAttributes(f func(*kgo.Record) []attribute.KeyValue) Option {
	return func(c *config) { c.recordAttributes = f }
}

// WithPollSpans says which polls get a span: SpanAlways those that brought
// records or failed, SpanOnError those that failed.
func WithPollSpans(m SpanMode) Option {
	return func(c *config) { c.pollSpans = m }
}

// WithCommitSpans says which commits get a span.
func WithCommitSpans(m SpanMode) Option {
	return func(c *config) { c.commitSpans = m }
}

// WithMaxLinks sets how many links a poll or batch span gets, 128 without it,
// which is the SDK's own limit. Above the SDK's limit links would be dropped in
// silence; those above n are counted on the span, in otelkgo.links.omitted.
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
	if err := c.completeFuncs(); err != nil {
		return err
	}
	if err := c.pollSpans.check("WithPollSpans"); err != nil {
		return err
	}
	if err := c.commitSpans.check("WithCommitSpans"); err != nil {
		return err
	}
	switch {
	case c.maxLinks < 0:
		return fmt.Errorf("otelkgo: %d links are too few: give WithMaxLinks a number above 0", c.maxLinks)
	case c.maxLinks == 0:
		c.maxLinks = defaultMaxLinks
	}
	return nil
}

// completeFuncs sets the functions that were not given.
func (c *config) completeFuncs() error {
	if c.relationFunc == nil {
		if int(c.relation) >= len(relationNames) {
			return fmt.Errorf("otelkgo: %s is not known: use RelationBoth, RelationParent or RelationLink", c.relation)
		}
		relation := c.relation
		c.relationFunc = func(context.Context, *kgo.Record) Relation { return relation }
	}
	same := func(name string) string { return name }
	if c.template == nil {
		c.template = same
	}
	if c.groupName == nil {
		c.groupName = same
	}
	none := func(*kgo.Record) string { return "" }
	if c.messageID == nil {
		c.messageID = none
	}
	if c.conversationID == nil {
		c.conversationID = none
	}
	if c.recordAttributes == nil {
		c.recordAttributes = func(*kgo.Record) []attribute.KeyValue { return nil }
	}
	return nil
}
