package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

func TestUnreadableMessagesAreDeadLetters(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		r := b.open(func(_ context.Context, topic string, e *orderpb.Event) error {
			if topic != "orders" {
				t.Errorf("topic %q", topic)
			}
			got.add(e)
			return nil
		})
		bad := []string{"", "{", "\xff\x00", `{"order":{"id":7}}`, `{"order":{"id":"x"},"colour":"red"}`, "{}", "[]", event(strings.Repeat("x", carrier.MaxBody))}
		b.send(append(bad, event("good"))...)
		time.Sleep(time.Second)
		if ids := got.all(); !slices.Equal(ids, []string{"good"}) || r.Skipped() != int64(len(bad)) {
			t.Errorf("handled %v, skipped %d, want the good one and %d", ids, r.Skipped(), len(bad))
		}
		b.drainAndClose(r)
		if left, dead := b.depth("test"), b.depth("tracelab.dead"); left != 0 || dead != len(bad) {
			t.Errorf("%d messages left and %d dead letters, want 0 and %d", left, dead, len(bad))
		}
		if lines := b.Log.Lines("message skipped"); len(lines) != len(bad) || !strings.Contains(lines[0], "topic=orders queue=run7.test delivery_tag=1") {
			t.Errorf("%d lines in the log, want %d with topic, queue and tag: %s", len(lines), len(bad), lines)
		}
		marked := 0
		for _, span := range b.Named("process tracelab:orders:test") {
			if kind := carriertest.Attribute(span, "error.type"); kind == "undecodable" || kind == "too_large" {
				marked++
			}
		}
		if marked != len(bad) {
			t.Errorf("%d process spans say why, want %d", marked, len(bad))
		}
	})
}

func TestUnfinishedMessagesComeAgain(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			got.add(e)
			if got.count() <= 3 && e.GetOrder().GetId() == "b" {
				return fmt.Errorf("%w: nobody took the next message", carrier.ErrUnfinished)
			}
			return errors.New("a failure that is none of the broker's business")
		})
		b.send(event("a"), event("b"))
		time.Sleep(time.Second)
		if ids := got.all(); !slices.Equal(ids, []string{"a", "b", "b", "b"}) {
			t.Errorf("handled %v, want b until it is finished", ids)
		}
		b.drainAndClose(r)
		if left := b.depth("test"); left != 0 {
			t.Errorf("%d messages are left", left)
		}
	})
}

func TestAPanicFailsOneMessage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			if e.GetOrder().GetId() == "bad" {
				panic("bug")
			}
			got.add(e)
			return nil
		})
		b.send(event("bad"), event("good"))
		time.Sleep(time.Second)
		b.drainAndClose(r)
		if !slices.Equal(got.all(), []string{"good"}) || b.depth("test") != 0 || len(b.Log.Lines("handler panicked")) != 1 {
			t.Errorf("handled %v, %d left, %d lines about the panic: want good, 0, 1", got.all(), b.depth("test"), len(b.Log.Lines("handler panicked")))
		}
	})
}

// Each service that consumes a topic gets its own message, also when it comes later than the message.
func TestEveryConsumerGetsItsMessage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		entry, err := b.tryOpen("entry", nil)
		b.Must(err)
		b.awaitReady(entry)
		b.Must(entry.Publish(b.Context(), "orders", eventOf("o-1")))
		var ids [2]handled
		for i, service := range []string{"test", "other"} {
			r, err := b.tryOpen(service, func(_ context.Context, _ string, e *orderpb.Event) error { ids[i].add(e); return nil })
			b.Must(err)
			b.await("message for "+service, func() bool { return ids[i].count() == 1 })
			b.drainAndClose(r)
		}
		b.drainAndClose(entry)
	})
}

// One at a time for each key, in the order of sending, and several keys at the same time.
func TestOrderOfAKey(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var mu sync.Mutex
		var most, running int
		order := map[string][]string{}
		random := rand.New(rand.NewPCG(7, 1))
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			mu.Lock()
			running++
			most = max(most, running)
			key, _, _ := strings.Cut(e.GetOrder().GetId(), "/")
			order[key] = append(order[key], e.GetOrder().GetId())
			takes := time.Duration(random.IntN(5)) * time.Millisecond
			mu.Unlock()
			time.Sleep(takes)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		})
		ch, done := b.channel()
		defer done()
		const keys, each = 5, 20
		for i := range keys * each {
			key := fmt.Sprintf("k%d", i%keys)
			b.Must(ch.Publish(b.prefix+"tracelab", "orders", true, false, publishing(key, event(fmt.Sprintf("%s/%02d", key, i/keys)))))
		}
		b.await("all messages", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return running == 0 && len(order[fmt.Sprintf("k%d", keys-1)]) == each
		})
		b.drainAndClose(r)
		for key, ids := range order {
			if !slices.IsSorted(ids) || len(ids) != each {
				t.Errorf("%s came as %v", key, ids)
			}
		}
		if most != 4 {
			t.Errorf("%d worked on at the same time, want 4", most)
		}
	})
}

// A broker whose connections break again and again loses nothing of what it has acknowledged, and nobody has to ask twice.
func TestCutConnectionsLoseNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			time.Sleep(time.Millisecond)
			got.add(e)
			return nil
		})
		const n = 300
		cutting, stop := context.WithCancel(b.Context())
		go func() {
			for cutting.Err() == nil {
				time.Sleep(37 * time.Millisecond)
				b.broker.Cut()
			}
		}()
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if err := r.Publish(context.WithoutCancel(b.Context()), "orders", eventOf(fmt.Sprint(i))); err != nil {
					t.Errorf("message %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		stop()
		time.Sleep(time.Second) // the last cut
		b.awaitReady(r)
		time.Sleep(10 * time.Second)
		b.drainAndClose(r)
		if left := b.depth("test"); left != 0 {
			t.Errorf("%d messages are left", left)
		}
		ids := got.all()
		slices.Sort(ids)
		again := len(ids)
		ids = slices.Compact(ids)
		if len(ids) != n {
			t.Errorf("%d of %d messages were handled", len(ids), n)
		}
		t.Logf("%d messages came %d times", n, again)
		if started, ended := len(b.Spans.Started()), len(b.Spans.Ended()); started != ended {
			t.Errorf("%d spans started, %d ended", started, ended)
		}
	})
}

// A client that waits is told that the outcome is open; the message goes on without it.
func TestTheOutcomeIsOpenWhenTheDeadlinePasses(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		b.broker.NackNext(5) // half a second's worth
		ctx, cancel := context.WithTimeout(b.Context(), 200*time.Millisecond)
		defer cancel()
		err := r.Publish(ctx, "orders", eventOf("late"))
		if carrier.AsFailed("", err).Reason() != carrier.Unavailable || !strings.Contains(err.Error(), "has not acknowledged") {
			t.Errorf("error %v", err)
		}
		b.await("message", func() bool { return got.count() == 1 })
		b.drainAndClose(r)
		if err := r.Publish(b.Context(), "orders", eventOf("closed")); carrier.AsFailed("", err).Reason() != carrier.Unavailable {
			t.Errorf("after Close: %v", err)
		}
	})
}

// Closing gives up what waits for a broker that is silent, within a second or two, and ends its spans.
func TestCloseDoesNotWaitForASilentBroker(t *testing.T) {
	inBubble(t, func(b *bubble) {
		r := b.open(nil)
		b.broker.Silence()
		result := make(chan error, 1)
		go func() { result <- r.Publish(context.WithoutCancel(b.Context()), "orders", eventOf("o")) }()
		time.Sleep(time.Second)
		began := time.Now()
		r.Close(b.Context())
		if err := <-result; err == nil || time.Since(began) > 3*time.Second {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		if s := b.Named("send tracelab:orders"); len(s) != 1 || s[0].Status().Description == "" {
			t.Errorf("%d send spans", len(s))
		}
	})
}

func TestNoBroker(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.address = "127.0.0.1:1"
		if _, err := b.tryOpen("test", nil); err == nil || !strings.Contains(err.Error(), "rabbitmq broker 127.0.0.1:1 cannot be reached: start it (task rabbitmq), or name another with --rabbitmq") {
			t.Errorf("error %v", err)
		}
	})
}

// A broker that is about to have a queue is asked again, for some time.
func TestQueuesThatAreComing(t *testing.T) {
	for reason, code := range map[string]uint16{
		"INTERNAL_ERROR": amqp.InternalError,
		"NOT_FOUND - home node 'rabbit@localhost' of durable queue 'run7.tracelab.dead' in vhost '/' is down or inaccessible": amqp.NotFound,
	} {
		inBubble(t, func(b *bubble) {
			b.broker.FailNextQueues(10, code, reason)
			r := b.open(nil)
			config := carrier.BrokerConfig{Service: "redrive", Addresses: []string{b.address}, Prefix: b.prefix, Dial: b.Dial, Provider: b.Provider, Relation: both}
			b.broker.FailNextQueues(1, code, reason)
			if _, err := Redrive(b.Context(), carrier.Redrive{Config: config, Topic: "orders", Most: 1}); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("dead letters: error %v, want %s", err, reason)
			}
			r.Close(b.Context())
			b.broker.FailNextQueues(1000, code, reason)
			began := time.Now()
			if _, err := b.tryOpen("test", nil); err == nil || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "deadline") || time.Since(began) > 2*queueWait {
				t.Errorf("after %v: error %v", time.Since(began), err)
			}
		})
	}
}

// A broker that accepts connections and says nothing is given up after its timeout.
func TestSilentBroker(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.address = "127.0.0.1:5673"
		l := b.Listen(b.address)
		defer func() { b.Must(l.Close()) }()
		began := time.Now()
		if _, err := b.tryOpen("test", nil); err == nil || time.Since(began) > dialTimeout+closeTimeout {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
	})
}

// The trace of a message: the sender's trace, its baggage, and the order as conversation.
func TestSpans(t *testing.T) {
	inBubble(t, func(b *bubble) {
		r := b.open(func(context.Context, string, *orderpb.Event) error { return nil })
		ctx, span := b.Provider.Tracer.Start(b.Context(), "root")
		b.Must(r.Publish(ctx, "orders", eventOf("o-1")))
		span.End()
		b.await("process span", func() bool { return len(b.Named("process tracelab:orders:test")) == 1 })
		b.drainAndClose(r)
		sent, processed := b.Named("send tracelab:orders")[0], b.Named("process tracelab:orders:test")[0]
		if processed.Parent().SpanID() != sent.SpanContext().SpanID() || sent.Parent().SpanID() != span.SpanContext().SpanID() || len(processed.Links()) != 1 {
			t.Error("the process span is no child of the send span, or has no link to it")
		}
		for key, want := range map[string]string{
			"messaging.system": "rabbitmq", "messaging.message.conversation_id": "o-1", "messaging.destination.name": "run7.tracelab:orders:run7.test",
			"messaging.destination.template": "tracelab:orders:test", "messaging.client.id": "test consumer", "messaging.rabbitmq.destination.routing_key": "orders",
		} {
			if got := carriertest.Attribute(processed, key); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		if n := len(b.Spans.Ended()); n != 3 {
			t.Errorf("%d spans, want 3: acknowledgements have none unless they fail", n)
		}
	})
}

func TestRemove(t *testing.T) {
	inBubble(t, func(b *bubble) {
		r := b.open(nil)
		r.Close(b.Context())
		b.Must(Remove(b.Context(), b.Dial, []string{b.address}, b.prefix, []string{"test", "other", "never there"}))
		ch, done := b.channel()
		defer done()
		if _, err := ch.QueueDeclarePassive("run7.test", true, false, false, false, nil); err == nil {
			t.Error("the queue is still there")
		}
	})
}
