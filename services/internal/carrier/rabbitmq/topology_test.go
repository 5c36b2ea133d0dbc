package rabbitmq

import (
	"context"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/internal/orderpb"
)

// What somebody deletes on the broker is made again, and what is sent then arrives.
func TestWhatIsDeletedIsMadeAgain(t *testing.T) {
	for name, remove := range map[string]func(*amqp.Channel) error{
		"queue":    func(ch *amqp.Channel) error { _, err := ch.QueueDelete("run7.test", false, false, false); return err },
		"exchange": func(ch *amqp.Channel) error { return ch.ExchangeDelete("run7.tracelab", false, false) },
		"binding": func(ch *amqp.Channel) error { // an exchange of that name without bindings
			if err := ch.ExchangeDelete("run7.tracelab", false, false); err != nil {
				return err
			}
			return ch.ExchangeDeclare("run7.tracelab", amqp.ExchangeTopic, true, false, false, false, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var got handled
				r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
				b.Must(r.Publish(b.Context(), "orders", eventOf("before")))
				b.await("first message", func() bool { return got.count() == 1 })
				ch, done := b.channel()
				b.Must(remove(ch))
				done()
				if name == "queue" { // what comes while it is away goes to the other consumer's queue alone
					time.Sleep(time.Second)
				}
				b.Must(r.Publish(context.WithoutCancel(b.Context()), "orders", eventOf("after")))
				b.await("second message", func() bool { return got.count() == 2 })
				b.drainAndClose(r)
			})
		})
	}
}
