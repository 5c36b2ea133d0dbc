package otelamqp_test

import (
	"context"
	"testing"
	"testing/synctest"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
)

func TestGet(t *testing.T) {
	inBubble(t, func(b *bubble) {
		if _, ok, err := b.ch.Get("shipping", false); ok || err != nil {
			t.Errorf("an empty queue gives %t, %v", ok, err)
		}
		ctx, server := b.order("o-1")
		b.publish(ctx, "placed", amqp.Publishing{})
		server.End()
		d, ok, err := b.ch.Get("shipping", false)
		if !ok || err != nil {
			t.Fatalf("got %t, %v", ok, err)
		}
		_, p := b.in.StartProcess(b.Context(), d)
		p.End(nil)
		b.must(d.Ack(false))
		if _, _, err := b.ch.Get("missing", false); err == nil {
			t.Error("no error for a queue that is not there")
		}
		b.golden("get")
	})
}

func TestBatch(t *testing.T) {
	for name, keys := range map[string][]string{"one-queue": {"placed", "placed"}, "two-queues": {"placed", "paid"}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.queue("billing", "orders", "paid")
				for i, key := range keys {
					ctx, server := b.order(string(rune('1' + i)))
					b.publish(ctx, key, amqp.Publishing{MessageId: "m-" + string(rune('1'+i))})
					server.End()
				}
				var ds []amqp.Delivery
				if name == "one-queue" {
					ds = b.consume(b.ch, "shipping", 2)
				} else {
					ds = append(b.consume(b.ch, "shipping", 1), b.consume(b.ch, "billing", 1)...)
				}
				scope, other := b.order("scope")
				b.must(b.in.ProcessBatch(scope, ds, func(ctx context.Context, ds []amqp.Delivery) error {
					_, inner := b.tp.Tracer("test").Start(ctx, "inner")
					inner.End()
					return nil
				}))
				other.End()
				b.must(b.ch.Ack(0, true))
				b.golden("batch-" + name)
			})
		})
	}
}

func TestEmptyBatchHasNoSpan(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.must(b.in.ProcessBatch(b.Context(), nil, func(context.Context, []amqp.Delivery) error {
			t.Error("called without messages")
			return nil
		}))
		if n := len(b.spans.Started()); n != 0 {
			t.Errorf("%d spans", n)
		}
	})
}

// Messages that the server counts as handled are not kept in mind.
func TestAutoAck(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publishAll("placed")
		ctx, cancel := context.WithCancel(b.Context())
		deliveries, err := b.ch.ConsumeWithContext(ctx, "shipping", "", true, false, false, false, nil)
		b.must(err)
		d := <-deliveries
		_, p := b.in.StartProcess(b.Context(), d)
		p.End(nil)
		b.must(b.ch.Ack(0, true))
		if n := len(b.only("ack").Links()); n != 0 {
			t.Errorf("%d links, want none", n)
		}
		cancel()
		if _, open := <-deliveries; open {
			t.Error("a delivery after the context has ended")
		}
		b.wantMetric("messaging.client.consumed.messages", "", 1)
	})
}

// A delivery of another channel is traced without a queue, and one without
// anything, too.
func TestForeignDeliveries(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publishAll("placed")
		plain, err := b.conn.Channel()
		b.must(err)
		deliveries, err := plain.Consume("shipping", "", false, false, false, false, nil)
		b.must(err)
		d := <-deliveries
		_, p := b.in.StartProcess(b.Context(), d)
		p.End(nil)
		b.must(d.Ack(false))
		_, p = b.in.StartProcess(b.Context(), amqp.Delivery{})
		p.End(nil)
		if s := b.only("process orders:placed"); len(s.Links()) != 1 {
			t.Errorf("%d links, want 1", len(s.Links()))
		}
		b.only("process amq.default")
	})
}

// Who stops reading does not keep the channel from closing.
func TestAbandonedConsumer(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publishAll("placed", "placed", "placed")
		deliveries, err := b.ch.Consume("shipping", "", false, false, false, false, nil)
		b.must(err)
		<-deliveries
		b.must(b.ch.Close())
		synctest.Wait()
		if ready, unacked := b.broker.Depth("shipping"); ready != 3 || unacked != 0 {
			t.Errorf("%d ready and %d unacknowledged, want 3 and 0: they come again", ready, unacked)
		}
		for range deliveries {
			t.Error("a delivery of a closed channel")
		}
	})
}

// A channel that is used by two at a time.
func TestConcurrentUse(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const n = 50
		for range 4 {
			go func() {
				for range n {
					if err := b.ch.PublishConfirmed(b.Context(), "orders", "placed", true, amqp.Publishing{}); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		deliveries, err := b.ch.Consume("shipping", "", false, false, false, false, nil)
		b.must(err)
		for range 4 * n {
			d := <-deliveries
			go func() {
				err := b.in.Process(b.Context(), d, func(context.Context, amqp.Delivery) error { return d.Ack(false) })
				if err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if started, ended := len(b.spans.Started()), len(b.spans.Ended()); started != 3*4*n || ended != started {
			t.Errorf("%d spans started, %d ended, want %d", started, ended, 3*4*n)
		}
		if ready, unacked := b.broker.Depth("shipping"); ready != 0 || unacked != 0 {
			t.Errorf("%d ready and %d unacknowledged, want none", ready, unacked)
		}
	}, otelamqp.WithBodySize())
}
