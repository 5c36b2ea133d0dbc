package carrier_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// TestAKeyKeepsItsOrderWhenItLeaves: when a message is given up because it goes to another consumer, those behind it in its key are not handled
// here before it, one by one or in a batch; messages of other keys are.
func TestAKeyKeepsItsOrderWhenItLeaves(t *testing.T) {
	for _, batch := range []bool{false, true} {
		carriertest.InBubble(t, func(b *carriertest.Bubble) {
			var mu sync.Mutex
			var handled []string
			consumer, err := carrier.NewConsumer(carrier.BrokerConfig{
				Service: "payment", Workers: 4, Provider: b.Provider,
				Handle: func(_ context.Context, _ string, event *orderpb.Event) error {
					mu.Lock()
					defer mu.Unlock()
					id := event.GetOrder().GetId()
					handled = append(handled, id)
					if id == "first" {
						return errors.Join(carrier.ErrUnfinished, errors.New("the store is away"))
					}
					return nil
				},
			}, func(ctx context.Context, _ []carrier.Delivery) (context.Context, func(error)) {
				return ctx, func(error) {}
			})
			b.Must(err)
			leaving, leave := context.WithCancel(b.Context())
			outcomes := map[string]carrier.Outcome{}
			take := func(key, id string, leaving context.Context) {
				value, err := carrier.EncodeEvent("order.placed", &orderpb.Event{Order: &orderpb.Order{Id: id}})
				b.Must(err)
				d := carrier.Delivery{
					Topic: "order.placed", Key: key, Value: value, Leaving: leaving, Where: func() []any { return nil },
					Process: func(ctx context.Context) (context.Context, func(error)) { return ctx, func(error) {} },
				}
				done := func(o carrier.Outcome) {
					mu.Lock()
					defer mu.Unlock()
					outcomes[id] = o
				}
				if batch {
					consumer.TakeInBatch(b.Context(), carrier.Batch{Topic: d.Topic, Size: 3, Wait: time.Second}, d, done)
					return
				}
				consumer.Take(b.Context(), d, done)
			}
			take("a", "first", leaving)
			take("a", "second", leaving)
			take("b", "other", leaving)
			time.Sleep(time.Second) // virtual: the first is tried again and again
			leave()
			time.Sleep(time.Second)     // the first is given up
			take("a", "late", leaving)  // it was on its way when its partition left
			take("a", "later", leaving) // behind it, or in its batch
			time.Sleep(2 * time.Second)
			take("a", "again", b.Context()) // it comes back to this consumer
			b.Must(consumer.Wait(b.Context()))
			slices.Sort(handled)
			if handled = slices.Compact(handled); !slices.Equal(handled, []string{"again", "first", "other"}) {
				b.Errorf("in batches %v: handled %q, want first, other and again", batch, handled)
			}
			if outcomes["late"] != carrier.Unfinished || outcomes["later"] != carrier.Unfinished || outcomes["first"] != carrier.Unfinished || outcomes["second"] != carrier.Unfinished || outcomes["other"] != carrier.Finished || outcomes["again"] != carrier.Finished {
				b.Errorf("in batches %v: outcomes %v", batch, outcomes)
			}
		})
	}
}
