package otelamqp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/otelamqp"
	"tracelab/otelamqp/amqptest"
)

func TestDestinationNames(t *testing.T) {
	for want, d := range map[string]otelamqp.Destination{
		"amq.default":            {},
		"orders":                 {Exchange: "orders"},
		"shipping":               {RoutingKey: "shipping"},
		"orders:placed":          {Exchange: "orders", RoutingKey: "placed"},
		"orders:placed:shipping": {Exchange: "orders", RoutingKey: "placed", Queue: "shipping"},
		"orders:shipping":        {Exchange: "orders", RoutingKey: "shipping", Queue: "shipping"},
		"a:work":                 {Exchange: "a", Queue: "work"},
		"work":                   {RoutingKey: "work", Queue: "work"},
		"q":                      {Queue: "q"},
	} {
		if got := d.String(); got != want {
			t.Errorf("%+v is %q, want %q", d, got, want)
		}
	}
}

// A name with a run or a made-up queue in it stands in no span name and no metric.
func TestTemplates(t *testing.T) {
	inBubble(t, func(b *bubble) {
		q, err := b.ch.QueueDeclare("", false, true, true, false, nil)
		b.must(err)
		b.must(b.ch.QueueBind(q.Name, "placed", "orders", false, nil))
		b.publishAll("placed")
		_, p := b.in.StartProcess(b.Context(), b.consume(b.ch, q.Name, 1)[0])
		p.End(nil)
		attrs := b.only("process orders:placed").Attributes()
		for key, want := range map[string]string{
			"messaging.destination.name": "orders:placed:" + q.Name, "messaging.destination.anonymous": "true", "messaging.destination.template": "orders:placed",
		} {
			if got := attributeOf(attrs, key); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		b.wantMetric("messaging.process.duration", "destination.template=orders:placed ", 1)
		b.wantMetric("messaging.process.duration", q.Name, 0)
	})
	inBubble(t, func(b *bubble) {
		b.publishAll("placed")
		attrs := b.only("send an order").Attributes()
		if name, template := attributeOf(attrs, "messaging.destination.name"), attributeOf(attrs, "messaging.destination.template"); name != "orders:placed" || template != "an order" {
			t.Errorf("name %q, template %q", name, template)
		}
	}, otelamqp.WithDestinationTemplate(func(d otelamqp.Destination) string {
		if d.Queue == "" && d.Exchange == "orders" {
			return "an order"
		}
		return d.String()
	}))
}

func TestAttributesOfMessages(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publish(b.Context(), "placed", amqp.Publishing{Type: "order\xff", CorrelationId: "c", Headers: amqp.Table{"order": "7"}, Body: []byte("body")})
		_, p := b.in.StartProcess(b.Context(), b.consume(b.ch, "shipping", 1)[0])
		p.End(nil)
		for _, name := range []string{"send orders:placed", "process orders:placed:shipping"} {
			attrs := b.only(name).Attributes()
			if conversation, typ, lab := attributeOf(attrs, "messaging.message.conversation_id"), attributeOf(attrs, "type"), attributeOf(attrs, "lab"); conversation != "7" || typ != "order\uFFFD" || lab != "a" {
				t.Errorf("%s: conversation %q, type %q, lab %q", name, conversation, typ, lab)
			}
			if attributeOf(attrs, "messaging.message.body.size") != "" {
				t.Errorf("%s has a body size that nobody asked for", name)
			}
		}
	}, otelamqp.WithConversationID(func(m *amqp.Publishing) string { s, _ := m.Headers["order"].(string); return s }),
		otelamqp.WithMessageAttributes(func(m *amqp.Publishing) []attribute.KeyValue {
			return []attribute.KeyValue{attribute.String("type", m.Type), {}}
		}), otelamqp.WithSpanAttributes(attribute.String("lab", "a"), attribute.String("messaging.system", "mine")))
}

func TestWrongOptions(t *testing.T) {
	for want, opts := range map[string][]otelamqp.Option{
		"an option is nil":                    {nil},
		"relation(9) is not known":            {otelamqp.WithRelation(9)},
		"WithSettleSpans(span mode(7))":       {otelamqp.WithSettleSpans(7)},
		"give WithMaxLinks a number above 0":  {otelamqp.WithMaxLinks(-1)},
		"use both, parent or link":            nil,
		`relation "x" is not known: use both`: nil,
	} {
		_, err := otelamqp.New(opts...)
		if opts == nil {
			_, err = otelamqp.ParseRelation("x")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if r, err := otelamqp.ParseRelation("link"); err != nil || r != otelamqp.RelationLink {
		t.Errorf("link is %v, %v", r, err)
	}
}

// Zero values and nil pointers do without telemetry, and do not panic.
func TestZeroValues(t *testing.T) {
	broker := &amqptest.Broker{}
	defer broker.Close()
	conn, err := broker.Dial(amqp.Config{})
	check(t, err)
	defer func() { check(t, conn.Close()) }()
	for _, in := range []*otelamqp.Instrumentation{nil, {}} {
		ch, err := in.Channel(conn)
		check(t, err)
		check(t, ch.Confirm(false))
		_, err = ch.QueueDeclare("q", false, false, false, false, nil)
		check(t, err)
		check(t, ch.PublishConfirmed(nil, "", "q", true, amqp.Publishing{})) //nolint:staticcheck // a nil context is bad input
		d, ok, err := ch.Get("q", false)
		if !ok || err != nil || len(d.Headers) != 0 {
			t.Fatalf("got %t, %v with headers %v", ok, err, d.Headers)
		}
		check(t, in.Process(t.Context(), d, func(context.Context, amqp.Delivery) error { return nil }))
		check(t, d.Ack(false))
		if err := in.Process(t.Context(), d, nil); err == nil {
			t.Error("no error without a handler")
		}
		if err := in.ProcessBatch(t.Context(), []amqp.Delivery{d}, nil); err == nil {
			t.Error("no error without a handler")
		}
		for _, none := range []func() error{
			func() error { _, err := in.Channel(nil); return err },
			func() error { _, err := in.Wrap(conn, nil); return err },
			func() error { _, err := in.Wrap(nil, ch.Channel); return err },
		} {
			if none() == nil {
				t.Error("no error for nil")
			}
		}
	}
	for _, ch := range []*otelamqp.Channel{nil, {}} {
		_, consumed := ch.Consume("q", "", false, false, false, false, nil)
		_, consuming := ch.ConsumeWithContext(t.Context(), "q", "", false, false, false, false, nil)
		_, _, got := ch.Get("q", false)
		for _, err := range []error{
			consumed, consuming, got, ch.Publish("", "q", false, false, amqp.Publishing{}), ch.PublishConfirmed(t.Context(), "", "q", false, amqp.Publishing{}),
			ch.Ack(1, false), ch.Nack(1, false, false), ch.Reject(1, false),
		} {
			if err == nil {
				t.Error("no error of a zero channel")
			}
		}
	}
	var p *otelamqp.Process
	p.End(nil)
	p.Span().End()
	new(otelamqp.Process).End(errors.New("x"))
}

// What comes from outside never makes an attribute that an exporter refuses.
func TestHostileNames(t *testing.T) {
	inBubble(t, func(b *bubble) {
		bad := strings.Repeat("\xffé", 5000)
		d := amqp.Delivery{Exchange: bad, RoutingKey: bad, MessageId: bad, CorrelationId: bad, Headers: amqp.Table{"traceparent": bad}}
		_ = b.in.Process(b.Context(), d, func(context.Context, amqp.Delivery) error { return errors.New(bad) })
		s := b.spans.Ended()[0]
		for _, a := range s.Attributes() {
			if v := a.Value.String(); !utf8.ValidString(v) || len(v) > 1024 {
				t.Errorf("%s is %d bytes, valid %t", a.Key, len(v), utf8.ValidString(v))
			}
		}
		if !utf8.ValidString(s.Name()) || !utf8.ValidString(s.Status().Description) || len(s.Status().Description) > 1024 {
			t.Errorf("name or status of %d bytes", len(s.Status().Description))
		}
	})
}

// More destinations than are remembered have spans all the same.
func TestManyDestinations(t *testing.T) {
	in, err := otelamqp.New(otelamqp.WithTracerProvider(sdktrace.NewTracerProvider()), otelamqp.WithPropagator(propagator))
	check(t, err)
	for i := range 5000 {
		_, p := in.StartProcess(t.Context(), amqp.Delivery{RoutingKey: strings.Repeat("k", i%50) + string(rune('a'+i%26)) + strings.Repeat("x", i/1300)})
		p.End(nil)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plainFixture is a broker on a pipe in real time with the queue "queue", and a
// channel with confirms.
func plainFixture(tb testing.TB, opts ...otelamqp.Option) (*amqptest.Broker, *otelamqp.Channel, *otelamqp.Instrumentation) {
	tb.Helper()
	broker := &amqptest.Broker{}
	conn, err := broker.Dial(amqp.Config{})
	check(tb, err)
	in, err := otelamqp.New(append([]otelamqp.Option{otelamqp.WithTracerProvider(sdktrace.NewTracerProvider()), otelamqp.WithPropagator(propagator)}, opts...)...)
	check(tb, err)
	ch, err := in.Channel(conn)
	check(tb, err)
	check(tb, ch.Confirm(false))
	_, err = ch.QueueDeclare("queue", false, false, false, false, nil)
	check(tb, err)
	return broker, ch, in
}
