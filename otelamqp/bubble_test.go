package otelamqp_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelamqp"
	"tracelab/otelamqp/amqptest"
)

// bubble is a broker and one client of it in virtual time, and a tracer whose ids
// count up, so that the same test always makes the same spans.
type bubble struct {
	*testing.T
	broker *amqptest.Broker
	conn   *amqp.Connection
	ch     *otelamqp.Channel
	spans  *tracetest.SpanRecorder
	tp     *sdktrace.TracerProvider
	meters *sdkmetric.ManualReader
	in     *otelamqp.Instrumentation
}

var propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// inBubble runs f in a synctest bubble with a channel in confirm mode and the
// exchange orders, whose key placed leads to the queue shipping.
func inBubble(t *testing.T, f func(b *bubble), opts ...otelamqp.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, broker: &amqptest.Broker{}, spans: tracetest.NewSpanRecorder(), meters: sdkmetric.NewManualReader()}
		b.tp = newTracerProvider(b.spans)
		var err error
		b.in, err = otelamqp.New(append([]otelamqp.Option{
			otelamqp.WithTracerProvider(b.tp), otelamqp.WithPropagator(propagator), otelamqp.WithServerAddress("rabbit.example:5672"),
			otelamqp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.meters))),
		}, opts...)...)
		b.must(err)
		properties := amqp.NewConnectionProperties()
		properties.SetClientConnectionName("test")
		b.conn, err = b.broker.Dial(amqp.Config{Properties: properties})
		b.must(err)
		defer b.broker.Close()
		defer func() { _ = b.conn.Close() }() // some tests have cut it
		b.ch = b.channel()
		b.must(b.ch.Confirm(false))
		b.must(b.ch.ExchangeDeclare("orders", "topic", true, false, false, false, nil))
		b.queue("shipping", "orders", "placed")
		f(b)
	})
}

func newTracerProvider(spans sdktrace.SpanProcessor) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(&countingIDs{}), sdktrace.WithSpanProcessor(copyBaggage{}), sdktrace.WithSpanProcessor(spans))
}

func (b *bubble) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bubble) channel() *otelamqp.Channel {
	b.Helper()
	ch, err := b.in.Channel(b.conn)
	b.must(err)
	return ch
}

func (b *bubble) queue(name, exchange, key string) {
	b.Helper()
	_, err := b.ch.QueueDeclare(name, true, false, false, false, nil)
	b.must(err)
	b.must(b.ch.QueueBind(name, key, exchange, false, nil))
}

// publish sends a message to the exchange orders and waits for the confirm.
func (b *bubble) publish(ctx context.Context, key string, m amqp.Publishing) {
	b.Helper()
	b.must(b.ch.PublishConfirmed(ctx, "orders", key, false, m))
}

// consume returns the next n deliveries of a queue.
func (b *bubble) consume(ch *otelamqp.Channel, queue string, n int) []amqp.Delivery {
	b.Helper()
	deliveries, err := ch.Consume(queue, "", false, false, false, false, nil)
	b.must(err)
	var got []amqp.Delivery
	for len(got) < n {
		got = append(got, <-deliveries)
	}
	return got
}

// order returns a context with a SERVER span and the baggage order=id.
func (b *bubble) order(id string) (context.Context, trace.Span) {
	b.Helper()
	m, err := baggage.NewMember("order", id)
	b.must(err)
	bag, err := baggage.New(m)
	b.must(err)
	return b.tp.Tracer("test").Start(baggage.ContextWithBaggage(b.Context(), bag), "POST /orders", trace.WithSpanKind(trace.SpanKindServer))
}

// only returns the one span with this name that has ended.
func (b *bubble) only(name string) sdktrace.ReadOnlySpan {
	b.Helper()
	found := b.named(name)
	if len(found) != 1 {
		b.Fatalf("%d spans %q, want 1, of\n%s", len(found), name, render(b.spans.Ended()))
	}
	return found[0]
}

func (b *bubble) named(name string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(b.spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
}

// attributeOf returns an attribute as text, or nothing.
func attributeOf(attrs []attribute.KeyValue, key string) string {
	for _, a := range attrs {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// countingIDs numbers traces and spans from 1.
type countingIDs struct{ traces, spans atomic.Uint64 }

func (c *countingIDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	var t trace.TraceID
	copy(t[:], fmt.Sprintf("trace-%010d", c.traces.Add(1)))
	return t, c.NewSpanID(context.Background(), t)
}

func (c *countingIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var s trace.SpanID
	copy(s[:], fmt.Sprintf("sp%06d", c.spans.Add(1)))
	return s
}

// copyBaggage writes each baggage member of the parent context onto the span,
// as baggage span processors do.
type copyBaggage struct{ sdktrace.SpanProcessor }

func (copyBaggage) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	for _, m := range baggage.FromContext(ctx).Members() {
		s.SetAttributes(attribute.String("baggage."+m.Key(), m.Value()))
	}
}
func (copyBaggage) OnEnd(sdktrace.ReadOnlySpan)      {}
func (copyBaggage) Shutdown(context.Context) error   { return nil }
func (copyBaggage) ForceFlush(context.Context) error { return nil }
