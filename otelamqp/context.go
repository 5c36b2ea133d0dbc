package otelamqp

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
)

// The headers of the W3C that this package looks at itself.
const (
	traceparentHeader = "traceparent"
	baggageHeader     = "baggage"
)

type keepKey struct{}

// KeepCreationContext returns a context for publishing that keeps the creation
// context which the headers of a message hold already, such as one that an
// outbox stored with the message. The send span is then of kind CLIENT and links
// to it. Without this, publishing replaces such headers: in a forwarded message
// they would link the next consumer to the earlier service instead of this one.
func KeepCreationContext(ctx context.Context) context.Context {
	return context.WithValue(orBackground(ctx), keepKey{}, true)
}

// inject returns a copy of headers with the context of ctx, and without what
// else of a context is there: an old tracestate or baggage must not join a new
// trace.
func (in *Instrumentation) inject(ctx context.Context, headers amqp.Table) amqp.Table {
	next := make(amqp.Table, len(headers)+len(in.fields))
	for name, value := range headers {
		if !in.isContext(name) {
			next[name] = value
		}
	}
	in.propagator.Inject(ctx, injection(next))
	if len(next) == 0 && headers == nil {
		return nil
	}
	return next
}

// injection writes into a table that has no header of the propagator's.
type injection amqp.Table

func (c injection) Get(key string) string { return TableCarrier{amqp.Table(c)}.Get(key) }
func (c injection) Set(key, value string) { c[key] = value }
func (c injection) Keys() []string        { return TableCarrier{amqp.Table(c)}.Keys() }

// isContext reports whether a header is one of the propagator's.
func (in *Instrumentation) isContext(name string) bool {
	for _, f := range in.fields {
		if same(name, f) {
			return true
		}
	}
	return false
}

// extraction is a TableCarrier without Values: of several values of one header
// the last counts. Stock propagators take several times as long when they are
// offered all values.
type extraction struct{ carrier TableCarrier }

func (c extraction) Get(key string) string { return c.carrier.Get(key) }
func (c extraction) Set(key, value string) { c.carrier.Set(key, value) }
func (c extraction) Keys() []string        { return c.carrier.Keys() }

// linkExtraction is an extraction that hides the baggage: a link needs none.
type linkExtraction struct{ extraction }

func (c linkExtraction) Get(key string) string {
	if key == baggageHeader {
		return ""
	}
	return c.extraction.Get(key)
}

// extract reads the context of a message into ctx. It returns the number of
// traceparents when there is more than one.
func (in *Instrumentation) extract(ctx context.Context, headers amqp.Table) (_ context.Context, doubled int) {
	return in.propagator.Extract(ctx, extraction{TableCarrier{headers}}), doubledIn(headers)
}

// extractLink returns the creation context of a message, and the number of
// traceparents when there is more than one.
func (in *Instrumentation) extractLink(headers amqp.Table) (creation trace.SpanContext, doubled int) {
	ctx := in.propagator.Extract(context.Background(), linkExtraction{extraction{TableCarrier{headers}}})
	return trace.SpanContextFromContext(ctx), doubledIn(headers)
}

// doubledIn returns the number of traceparents when there is more than one.
func doubledIn(headers amqp.Table) int {
	if n := (TableCarrier{headers}).count(traceparentHeader); n > 1 {
		return n
	}
	return 0
}

// orBackground returns ctx, or an empty context where it is nil.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// isolated returns ctx without the span and the baggage that it carries.
func isolated(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	}
	if baggage.FromContext(ctx).Len() > 0 {
		ctx = baggage.ContextWithoutBaggage(ctx)
	}
	return ctx
}
