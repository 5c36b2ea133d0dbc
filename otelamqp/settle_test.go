package otelamqp_test

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
)

func (b *bubble) publishAll(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.publish(b.Context(), key, amqp.Publishing{})
	}
}

// One acknowledgement of several messages links to them all.
func TestAckMultiple(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publishAll("placed", "placed", "placed", "placed")
		ds := b.consume(b.ch, "shipping", 4)
		b.must(ds[0].Ack(false)) // before its processing
		_, p := b.in.StartProcess(b.Context(), ds[1])
		p.End(nil)
		b.must(ds[2].Ack(true)) // 2 and 3
		b.must(ds[3].Ack(true)) // what is left
		b.golden("ack-multiple")
	})
}

// An acknowledgement over several destinations names none; its links do.
func TestAckOverTwoQueues(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.queue("billing", "orders", "paid")
		b.publishAll("placed", "paid")
		b.consume(b.ch, "shipping", 1)
		d := b.consume(b.ch, "billing", 1)[0]
		b.must(d.Ack(true))
		b.golden("ack-two-queues")
	})
}

func TestNackRejectRedelivery(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_, err := b.ch.QueueDeclare("dead", true, false, false, false, nil)
		b.must(err)
		_, err = b.ch.QueueDeclare("work", true, false, false, false, amqp.Table{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
		b.must(err)
		b.must(b.ch.PublishConfirmed(b.Context(), "", "work", true, amqp.Publishing{}))
		deliveries, err := b.ch.Consume("work", "", false, false, false, false, nil)
		b.must(err)
		d := <-deliveries
		b.must(d.Nack(false, true))
		d = <-deliveries
		_, p := b.in.StartProcess(b.Context(), d)
		p.End(nil)
		b.must(d.Reject(false))
		dead := b.consume(b.ch, "dead", 1)[0]
		_, p = b.in.StartProcess(b.Context(), dead)
		p.End(nil)
		b.golden("nack-reject")
	})
}

func TestSettleSpanModes(t *testing.T) {
	for mode, want := range map[otelamqp.SpanMode]int{otelamqp.SpanAlways: 2, otelamqp.SpanOnError: 1, otelamqp.SpanNever: 0} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.publishAll("placed", "placed")
				ds := b.consume(b.ch, "shipping", 2)
				b.must(ds[0].Ack(false))
				b.must(b.ch.Close())
				if err := ds[1].Ack(false); err == nil {
					t.Error("no error on a closed channel")
				}
				if n := len(b.named("ack orders:placed:shipping")) + len(b.named("ack")); n != want {
					t.Errorf("%d spans, want %d", n, want)
				}
				b.wantMetric("messaging.client.operation.duration", "operation.name=ack", 2)
			}, otelamqp.WithSettleSpans(mode))
		})
	}
}

// A delivery that was acknowledged twice, or that nobody knows.
func TestAckOfNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.must(b.ch.Ack(7, false)) // the server closes the channel for it, later
		if s := b.only("ack"); len(s.Links()) != 0 || attributeOf(s.Attributes(), "messaging.rabbitmq.message.delivery_tag") != "7" {
			t.Errorf("span %s", s.Name())
		}
	})
}

func TestLinksAreLimited(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publishAll("placed", "placed", "placed", "placed", "placed")
		ds := b.consume(b.ch, "shipping", 5)
		_, p := b.in.StartProcessBatch(b.Context(), ds)
		p.End(nil)
		b.must(ds[4].Ack(true))
		for _, name := range []string{"process orders:placed:shipping", "ack orders:placed:shipping"} {
			s := b.only(name)
			if n := attributeOf(s.Attributes(), "otelamqp.links.omitted"); len(s.Links()) != 3 || n != "2" {
				t.Errorf("%s: %d links and %q left out, want 3 and 2", name, len(s.Links()), n)
			}
		}
	}, otelamqp.WithMaxLinks(3))
}
