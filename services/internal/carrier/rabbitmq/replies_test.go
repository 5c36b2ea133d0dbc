package rabbitmq

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// openInstance opens an instance of a service that wants the messages of one key, of a topic of which each instance gets all.
func (b *bubble) openInstance(number int, got *handled) *Broker {
	b.Helper()
	b.own = carrier.OwnTopics{Topics: []string{"done"}, Group: fmt.Sprint("test.replies.", number), Wanted: func(key string) bool { return key == fmt.Sprint("for ", number) }}
	return b.open(func(_ context.Context, topic string, e *orderpb.Event) error {
		if topic != "done" {
			b.Errorf("a message of %s", topic)
		}
		got.add(e)
		return nil
	})
}

// TestEachInstanceGetsEveryReply, handles those that it wants, once, and does so again when its connection has come back. Its queue goes with it.
func TestEachInstanceGetsEveryReply(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got [2]handled
		instances := []*Broker{b.openInstance(0, &got[0]), b.openInstance(1, &got[1])}
		publish := func(times int) {
			for from, r := range instances {
				for to := range instances {
					b.Must(r.Publish(b.Context(), "done", eventOf(fmt.Sprint("for ", to))))
				}
				for to := range instances {
					want := 2*(times-1) + from + 1
					b.await("reply", func() bool { return got[to].count() == want })
				}
			}
		}
		publish(1)
		before := b.broker.Queues()
		b.broker.Cut()
		b.await("queues of new sessions", func() bool {
			after := b.broker.Queues()
			return len(after) == len(before) && !slices.Equal(after, before) && len(slices.Compact(slices.Sorted(slices.Values(append(after, before...))))) == len(before)+2
		})
		for _, r := range instances {
			b.awaitReady(r)
		}
		publish(2)
		time.Sleep(time.Second)
		for i := range got {
			if n := got[i].count(); n != 4 {
				t.Errorf("instance %d has handled %d replies, want 4", i, n)
			}
		}
		for _, r := range instances {
			b.drainAndClose(r)
		}
		b.await("end of the replies' queues", func() bool { return len(b.broker.Queues()) == 3 }) // of two services and of the dead letters
	})
}

// TestTheTemplateOfAReplyHasNoQueue: there is a queue for each connection.
func TestTheTemplateOfAReplyHasNoQueue(t *testing.T) {
	n := names{"run7.", "orders.replies.3"}
	d := otelamqp.Destination{Exchange: n.exchange(), RoutingKey: "order.completed", Queue: n.own() + ".ABCDEFGH"}
	if got := n.template(d); got != "tracelab:order.completed" {
		t.Errorf("%s", got)
	}
	d.Queue = n.queue("orders")
	if got := n.template(d); !strings.HasSuffix(got, ":orders") {
		t.Errorf("%s", got)
	}
}
