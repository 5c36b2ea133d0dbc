package rabbitmq

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"tracelab/internal/testmain"
	"tracelab/otelamqp/amqptest"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// TestMain finds goroutines that a test on the loopback has left. A bubble finds its own.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// bubble is a test with a broker.
type bubble struct {
	*carriertest.Bubble
	broker  *amqptest.Broker // nil for a real one
	address string
	prefix  string
	classic bool
	batch   func(context.Context, string) (carrier.Batch, bool) // nil: no batches
	own     carrier.OwnTopics
}

// inBubble runs f in virtual time with a broker in this process.
func inBubble(t *testing.T, f func(b *bubble)) {
	t.Helper()
	carriertest.InBubble(t, func(core *carriertest.Bubble) {
		b := &bubble{Bubble: core, broker: &amqptest.Broker{}, address: "127.0.0.1:5672", prefix: "run7."}
		b.broker.Serve(b.Listen(b.address))
		defer b.broker.Close()
		f(b)
	})
}

// handler does what a message asks for.
type handler = func(ctx context.Context, topic string, event *orderpb.Event) error

// open connects a service to the broker; it consumes the topic "orders" when there is a handler. A test closes it.
func (b *bubble) open(handle handler) *Broker {
	b.Helper()
	r, err := b.tryOpen("test", handle)
	b.Must(err)
	b.awaitReady(r)
	return r
}

func (b *bubble) awaitReady(r *Broker) {
	b.Helper()
	b.await("a session", r.Ready)
}

func (b *bubble) await(what string, done func() bool) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("no %s after a minute", what)
		}
	}
}

func (b *bubble) tryOpen(service string, handle handler) (*Broker, error) {
	config := Config{Classic: b.classic, BrokerConfig: carrier.BrokerConfig{
		Service: service, Addresses: []string{b.address}, Prefix: b.prefix, Topics: []string{"orders", "answers"}, Workers: 4,
		Consumers: map[string][]string{"orders": {"test", "other"}},
		Dial:      b.Dial, Provider: b.Provider, Handle: handle, Relation: both, Batch: b.batch, Own: b.own,
	}}
	if handle != nil {
		config.Consume = []string{"orders"}
	}
	return Open(b.Context(), config)
}

func both(context.Context) (parent, link bool) { return true, true }

// drainAndClose ends a connection the way that a service does.
func (b *bubble) drainAndClose(r *Broker) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.Must(r.Drain(ctx))
	r.Close(ctx)
}

// channel is one that no service knows of; the function closes it.
func (b *bubble) channel() (*amqp.Channel, func()) {
	b.Helper()
	conn, err := dialAny(context.Background(), b.Dial, []string{b.address}, "test")
	b.Must(err)
	ch, err := conn.Channel()
	b.Must(err)
	return ch, func() { _ = conn.Close() }
}

// send sends values as they are, all with the same key.
func (b *bubble) send(values ...string) {
	b.Helper()
	messages := make([]amqp.Publishing, len(values))
	for i, value := range values {
		messages[i] = publishing("key", value)
	}
	b.publish(messages...)
}

// publish sends messages, and returns when the broker has confirmed them: what it has not confirmed may be lost when the connection ends.
func (b *bubble) publish(messages ...amqp.Publishing) {
	b.Helper()
	ch, done := b.channel()
	defer done()
	b.Must(ch.Confirm(false))
	confirmed := make([]*amqp.DeferredConfirmation, len(messages))
	for i, m := range messages {
		c, err := ch.PublishWithDeferredConfirm(b.prefix+"tracelab", "orders", true, false, m)
		b.Must(err)
		confirmed[i] = c
	}
	for _, c := range confirmed {
		if !c.Wait() {
			b.Fatal("the broker refused a message")
		}
	}
}

// depth counts the messages of a queue that nobody has acknowledged, once nobody has a connection.
func (b *bubble) depth(queue string) int {
	b.Helper()
	ch, done := b.channel()
	defer done()
	q, err := ch.QueueDeclarePassive(b.prefix+queue, true, false, false, false, nil)
	b.Must(err)
	return q.Messages
}

// event is the JSON of an event of an order.
func event(id string) string { return fmt.Sprintf(`{"order":{"id":%q}}`, id) }

func eventOf(id string) *orderpb.Event { return &orderpb.Event{Order: &orderpb.Order{Id: id}} }

// handled are the orders whose messages came.
type handled struct {
	mu  sync.Mutex
	ids []string
}

func (h *handled) add(e *orderpb.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = append(h.ids, e.GetOrder().GetId())
}

func (h *handled) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.ids...)
}

func (h *handled) count() int { return len(h.all()) }

func publishing(key, value string) amqp.Publishing {
	return amqp.Publishing{CorrelationId: key, Body: []byte(value)}
}
