package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// openBatched connects a service that handles "orders" in batches of 3, or what comes within 50 ms.
func (b *bubble) openBatched(handle func(ctx context.Context, topic string, event *orderpb.Event) error) *Broker {
	b.Helper()
	k, err := Open(b.Context(), Config{BrokerConfig: carrier.BrokerConfig{
		Service: "test", Addresses: b.cluster.ListenAddrs(), Prefix: "run7.", Topics: []string{"orders"}, Consume: []string{"orders"}, Workers: 1,
		Dial: b.Dial, Provider: b.Provider, Handle: handle, Relation: both,
		Batch: func(ctx context.Context, topic string) (carrier.Batch, bool) {
			form := baggage.FromContext(ctx).Member("form").Value()
			return carrier.Batch{Topic: topic, Form: form, Size: 3, Wait: 50 * time.Millisecond}, form == "batch"
		},
	}})
	b.Must(err)
	for deadline := time.Now().Add(time.Minute); !k.Ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("the group has no partitions after a minute")
		}
	}
	time.Sleep(300 * time.Millisecond) // fetches that began before all partitions were there have ended
	return k
}

// publish sends an order with baggage, below a span.
func (b *bubble) publish(k *Broker, id, form string) {
	b.Helper()
	member, err := baggage.NewMember("form", form)
	b.Must(err)
	number, err := baggage.NewMember("number", id)
	b.Must(err)
	bag, err := baggage.New(member, number)
	b.Must(err)
	ctx, span := b.Provider.Tracer.Start(baggage.ContextWithBaggage(b.Context(), bag), "place "+id)
	defer span.End()
	b.Must(k.Publish(ctx, "orders", &orderpb.Event{Order: &orderpb.Order{Id: id}}))
}

// TestABatchHasOneProcessSpan with a link for each record, and below it a span for each unit, with that record's baggage and link. Offsets are
// committed after the whole batch; a record of another form is handled by itself.
func TestABatchHasOneProcessSpan(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var mu sync.Mutex
		seen := map[string]string{} // order to its baggage's number
		begun := map[string]time.Time{}
		k := b.openBatched(func(ctx context.Context, _ string, e *orderpb.Event) error {
			mu.Lock()
			seen[e.GetOrder().GetId()], begun[e.GetOrder().GetId()] = baggage.FromContext(ctx).Member("number").Value(), time.Now()
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			return nil
		})
		for _, id := range []string{"a", "b", "c", "d"} {
			b.publish(k, id, "batch")
		}
		b.publish(k, "alone", "single")
		time.Sleep(time.Second)
		b.drainAndClose(k)
		if b.uncommitted() != 0 || len(seen) != 5 {
			t.Errorf("%d not committed, handled %v", b.uncommitted(), seen)
		}
		for id, number := range seen {
			if id != number {
				t.Errorf("order %s has the baggage of %s", id, number)
			}
		}
		together := map[time.Time]int{} // whichever the broker hands out first
		delete(begun, "alone")
		for _, at := range begun {
			together[at]++
		}
		if times := slices.SortedFunc(maps.Keys(together), time.Time.Compare); len(times) != 2 || together[times[0]] != 3 {
			t.Errorf("begun %v: want three together and one behind", begun)
		}
		var counts []string
		for _, span := range b.Named("process orders") {
			counts = append(counts, fmt.Sprintf("%s/%d", carriertest.Attribute(span, "messaging.batch.message_count"), len(span.Links())))
		}
		slices.Sort(counts)
		if want := []string{"/1", "1/1", "3/3"}; !slices.Equal(counts, want) {
			t.Errorf("process spans by message count and links: %v, want %v", counts, want)
		}
		units := b.Named(carrier.UnitOfBatch)
		if len(units) != 4 {
			t.Fatalf("%d spans of units, want 4", len(units))
		}
		sends := map[trace.SpanID]bool{}
		for _, span := range b.Named("send orders") {
			sends[span.SpanContext().SpanID()] = true
		}
		for _, span := range units {
			if links := span.Links(); len(links) != 1 || !sends[links[0].SpanContext.SpanID()] || !span.Parent().IsValid() {
				t.Errorf("a unit's span: links %v, parent %v", links, span.Parent())
			}
		}
	})
}

// TestAnUnfinishedMessageOfABatchComesAgain, first in its batch, then, when the service ends, with those behind it on its partition. The batch
// fails, a message that fails for good fails alone.
func TestAnUnfinishedMessageOfABatchComesAgain(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var first, again handled
		k := b.openBatched(func(_ context.Context, _ string, e *orderpb.Event) error {
			first.add(e)
			switch e.GetOrder().GetId() {
			case "a":
				return carrier.Fail("", "gone", "for good")
			case "b":
				return fmt.Errorf("%w: nobody took the next message", carrier.ErrUnfinished)
			}
			return nil
		})
		for _, id := range []string{"a", "b", "c"} {
			b.publish(k, id, "batch")
		}
		time.Sleep(time.Second)
		b.drainAndClose(k)
		got := first.all()
		if tries := len(got) - 2; tries < 2 || !slices.Equal(slices.Compact(slices.Clone(got)), []string{"a", "b", "c"}) {
			t.Fatalf("handled %v: want a and c once, and b again and again", got)
		}
		process := b.Named("process orders")
		if len(process) != 1 || process[0].Status().Code != codes.Error || carriertest.Attribute(process[0], "error.type") != carrier.Unavailable {
			t.Errorf("the batch's span: %v, want one that failed with %s", process, carrier.Unavailable)
		}
		linked := 0
		for _, span := range b.Named(carrier.UnitOfBatch) {
			if span.Parent().SpanID() != process[0].SpanContext().SpanID() {
				t.Error("a unit's span is not below the batch's")
			}
			if len(span.Links()) == 2 { // to its message, and to the attempt before
				linked++
			}
		}
		if units := len(b.Named(carrier.UnitOfBatch)); units != len(got) || linked != len(got)-3 {
			t.Errorf("%d spans of units, %d of them of further attempts, want %d and %d", units, linked, len(got), len(got)-3)
		}
		k = b.openBatched(func(_ context.Context, _ string, e *orderpb.Event) error { again.add(e); return nil })
		time.Sleep(time.Second)
		b.drainAndClose(k)
		if got := again.all(); !slices.Contains(got, "b") || b.uncommitted() != 0 {
			t.Errorf("the second time handled %v, %d not committed: want b, and what stands behind it", got, b.uncommitted())
		}
	})
}

// TestADrainDoesNotWaitForCompany: what is gathered is handled and committed at once.
func TestADrainDoesNotWaitForCompany(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var got handled
		k := b.openBatched(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		b.publish(k, "a", "batch")
		time.Sleep(40 * time.Millisecond) // it is there, and waits for others
		b.drainAndClose(k)
		if !slices.Equal(got.all(), []string{"a"}) || b.uncommitted() != 0 {
			t.Errorf("handled %v, %d not committed", got.all(), b.uncommitted())
		}
	})
}

// TestAnUndecodableRecordOfABatchIsSkipped: it stops neither its batch nor those behind.
func TestAnUndecodableRecordOfABatchIsSkipped(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var got handled
		k := b.openBatched(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		b.produce("key", "{", event("plain"))
		b.publish(k, "", "batch") // names no order
		b.publish(k, "good", "batch")
		time.Sleep(time.Second)
		b.drainAndClose(k)
		if !slices.Equal(got.all(), []string{"good", "plain"}) || k.Skipped() != 2 || b.uncommitted() != 0 {
			t.Errorf("handled %v, skipped %d, %d not committed", got.all(), k.Skipped(), b.uncommitted())
		}
	})
}
