//go:build stack

package otelamqp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tracelab/otelamqp"
)

// These tests need a real RabbitMQ, at RABBITMQ_ADDR. Each has an exchange and
// queues of its own, which go with it. What is missing fails, because a skip would
// hide that nothing was tested.

// rabbit is a connection to a real broker.
type rabbit struct {
	name  string // of the exchange; the queues' names begin with it
	conn  *amqp.Connection
	ch    *otelamqp.Channel
	spans *tracetest.SpanRecorder
	tp    *sdktrace.TracerProvider
	in    *otelamqp.Instrumentation
}

func newRabbit(t *testing.T, opts ...otelamqp.Option) *rabbit {
	t.Helper()
	address := os.Getenv("RABBITMQ_ADDR")
	if address == "" {
		t.Fatal("RABBITMQ_ADDR is not set: start a RabbitMQ with `task rabbitmq` and give it the address that it prints")
	}
	r := &rabbit{name: fmt.Sprintf("otelamqp-%d", time.Now().UnixNano()), spans: tracetest.NewSpanRecorder()}
	r.tp = newTracerProvider(r.spans)
	var err error
	r.in, err = otelamqp.New(append([]otelamqp.Option{otelamqp.WithTracerProvider(r.tp), otelamqp.WithPropagator(propagator)}, opts...)...)
	check(t, err)
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName("test")
	r.conn, err = amqp.DialConfig("amqp://guest:guest@"+address+"/", amqp.Config{Properties: properties})
	check(t, err)
	t.Cleanup(func() { _ = r.conn.Close() }) // a test may have closed it
	r.ch = r.channel(t)
	check(t, r.ch.ExchangeDeclare(r.name, "topic", true, false, false, false, nil))
	t.Cleanup(func() { check(t, r.channel(t).ExchangeDelete(r.name, false, false)) })
	return r
}

func (r *rabbit) channel(t *testing.T) *otelamqp.Channel {
	t.Helper()
	ch, err := r.in.Channel(r.conn)
	check(t, err)
	check(t, ch.Confirm(false))
	return ch
}

// queue declares a queue behind the key placed, and deletes it at the test's end.
func (r *rabbit) queue(t *testing.T, suffix string, args amqp.Table) string {
	t.Helper()
	q, err := r.ch.QueueDeclare(r.name+suffix, true, false, false, false, args)
	check(t, err)
	check(t, r.ch.QueueBind(q.Name, "placed", r.name, false, nil))
	t.Cleanup(func() {
		_, err := r.channel(t).QueueDelete(q.Name, false, false, false)
		check(t, err)
	})
	return q.Name
}

// next awaits one delivery.
func next(t *testing.T, deliveries <-chan amqp.Delivery) amqp.Delivery {
	t.Helper()
	select {
	case d, open := <-deliveries:
		if !open {
			t.Fatal("the deliveries have ended")
		}
		return d
	case <-time.After(30 * time.Second):
		t.Fatal("no delivery within 30 s")
		panic("unreachable")
	}
}

// TestStackRelations has the same spans come from a real broker as from that of
// amqptest: it compares with the same golden files, on both kinds of queue.
func TestStackRelations(t *testing.T) {
	for _, kind := range []string{"quorum", "classic"} {
		for _, relation := range []otelamqp.Relation{otelamqp.RelationBoth, otelamqp.RelationParent, otelamqp.RelationLink} {
			t.Run(kind+" "+relation.String(), func(t *testing.T) {
				r := newRabbit(t, otelamqp.WithRelation(relation), otelamqp.WithBodySize())
				queue := r.queue(t, "", amqp.Table{"x-queue-type": kind})
				b := &bubble{T: t, tp: r.tp}
				ctx, server := b.order("o-1")
				check(t, r.ch.PublishConfirmed(ctx, r.name, "placed", true, amqp.Publishing{DeliveryMode: amqp.Persistent, MessageId: "m-1", CorrelationId: "o-1", Body: []byte("{}")}))
				server.End()
				deliveries, err := r.ch.Consume(queue, "", false, false, false, false, nil)
				check(t, err)
				d := next(t, deliveries)
				check(t, r.in.Process(t.Context(), d, func(ctx context.Context, _ amqp.Delivery) error {
					_, inner := r.tp.Tracer("test").Start(ctx, "shipping.Dispatch")
					inner.End()
					return nil
				}))
				check(t, d.Ack(false))
				want, err := os.ReadFile("testdata/relation-" + relation.String() + ".txt")
				check(t, err)
				if got, want := structure(r.name, render(r.spans.Ended())), structure(r.name, string(want)); got != want {
					t.Errorf("spans:\n%s\nwant:\n%s", got, want)
				}
			})
		}
	}
}

// structure gives the names that a golden has, and leaves out what names the host.
func structure(name, spans string) string {
	spans = strings.ReplaceAll(spans, ":"+name, ":shipping")
	spans = strings.ReplaceAll(spans, name, "orders")
	lines := slices.DeleteFunc(strings.Split(spans, "\n"), func(l string) bool {
		return strings.Contains(l, "server.") || strings.Contains(l, "network.peer.")
	})
	return strings.Join(lines, "\n")
}

// How the real server refuses.
func TestStackSendFails(t *testing.T) {
	r := newRabbit(t)
	r.queue(t, "full", amqp.Table{"x-max-length": int32(1), "x-overflow": "reject-publish"})
	err := r.ch.PublishConfirmed(t.Context(), r.name, "nowhere", true, amqp.Publishing{})
	if returned, ok := errors.AsType[*otelamqp.ReturnedError](err); !ok || returned.ErrorType() != "NO_ROUTE" {
		t.Errorf("unroutable: %v", err)
	}
	check(t, r.ch.PublishConfirmed(t.Context(), r.name, "nowhere", false, amqp.Publishing{})) // acknowledged all the same
	for err = error(nil); err == nil; {                                                       // a full queue refuses, a little later
		err = r.ch.PublishConfirmed(t.Context(), r.name, "placed", true, amqp.Publishing{})
	}
	if !errors.Is(err, otelamqp.ErrNacked) {
		t.Errorf("a full queue: %v", err)
	}
	err = r.channel(t).PublishConfirmed(t.Context(), "missing", "placed", false, amqp.Publishing{})
	var closed *amqp.Error
	if !errors.As(err, &closed) || closed.Code != amqp.NotFound {
		t.Errorf("no exchange: %v", err)
	}
	if got := attributeOf(r.spans.Ended()[len(r.spans.Ended())-1].Attributes(), "error.type"); got != "NOT_FOUND" {
		t.Errorf("error.type %q, want NOT_FOUND", got)
	}
}

// A thousand deferred confirms, every tenth unroutable: the server confirms several
// at once, and returns in between. Each span has its own outcome.
func TestStackReturnsFindTheirMessages(t *testing.T) {
	r := newRabbit(t)
	r.queue(t, "", nil)
	var last []*amqp.DeferredConfirmation
	for i := range 1000 {
		key := "placed"
		if i%10 == 0 {
			key = "nowhere"
		}
		c, err := r.ch.PublishWithDeferredConfirmWithContext(t.Context(), r.name, key, true, false, amqp.Publishing{})
		check(t, err)
		last = append(last, c)
	}
	for _, c := range last {
		c.Wait()
	}
	check(t, r.ch.PublishConfirmed(t.Context(), r.name, "placed", true, amqp.Publishing{}))
	for began := time.Now(); len(r.spans.Ended()) < 1001 && time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
	}
	wrong := 0
	for _, s := range r.spans.Ended() {
		if (attributeOf(s.Attributes(), "error.type") == "NO_ROUTE") != strings.HasSuffix(s.Name(), ":nowhere") {
			wrong++
		}
	}
	if n := len(r.spans.Ended()); wrong > 0 || n != 1001 {
		t.Errorf("%d spans of %d have a wrong outcome", wrong, n)
	}
}

// A message that is refused comes again, and then goes to the dead letters with its
// headers; acknowledging several links to them all.
func TestStackRedeliveryAndDeadLetters(t *testing.T) {
	r := newRabbit(t)
	dead, err := r.ch.QueueDeclare(r.name+".dead", true, false, false, false, nil)
	check(t, err)
	t.Cleanup(func() { _, err := r.channel(t).QueueDelete(dead.Name, false, false, false); check(t, err) })
	queue := r.queue(t, "", amqp.Table{"x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead.Name})
	b := &bubble{T: t, tp: r.tp}
	ctx, server := b.order("o-1")
	for range 3 {
		check(t, r.ch.PublishConfirmed(ctx, r.name, "placed", true, amqp.Publishing{DeliveryMode: amqp.Persistent}))
	}
	server.End()
	deliveries, err := r.ch.Consume(queue, "", false, false, false, false, nil)
	check(t, err)
	check(t, next(t, deliveries).Nack(false, true))
	got := []amqp.Delivery{next(t, deliveries), next(t, deliveries), next(t, deliveries)}
	again := slices.IndexFunc(got, func(d amqp.Delivery) bool { return d.Redelivered })
	if again < 0 {
		t.Fatal("nothing came again")
	}
	check(t, got[again].Reject(false))
	got = slices.Delete(got, again, again+1)
	check(t, got[1].Ack(true))
	deliveries, err = r.ch.Consume(dead.Name, "", false, false, false, false, nil)
	check(t, err)
	d := next(t, deliveries)
	_, p := r.in.StartProcess(t.Context(), d)
	p.End(nil)
	if p.Span().SpanContext().TraceID() != server.SpanContext().TraceID() || d.Headers["x-death"] == nil {
		t.Errorf("the dead letter has another trace, or headers %v", d.Headers)
	}
	for _, s := range r.spans.Ended() {
		if strings.HasPrefix(s.Name(), "ack ") && len(s.Links()) != 2 {
			t.Errorf("%s has %d links", s.Name(), len(s.Links()))
		}
	}
}

// TestReadmeOnARealServer runs what README shows, to the letter.
func TestReadmeOnARealServer(t *testing.T) {
	r := newRabbit(t) // for the address, and to clean up
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Cleanup(func() {
		_, queue := r.channel(t).QueueDelete("parcels", false, false, false)
		check(t, errors.Join(queue, r.channel(t).ExchangeDelete("orders", false, false)))
	})
	handled := ""
	err := shop(ctx, "amqp://guest:guest@"+os.Getenv("RABBITMQ_ADDR")+"/", func(_ context.Context, d amqp.Delivery) error {
		handled = d.MessageId
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || handled != "o-7" {
		t.Errorf("handled %q, %v", handled, err)
	}
}
