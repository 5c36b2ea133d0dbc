package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// drains stops a service in the midst of its queue, as SIGTERM does: it finishes what it has begun and leaves the rest, which whoever comes next handles;
// nothing comes twice.
func drains(t *testing.T, b *bubble) {
	t.Helper()
	const n = 40
	var got handled
	begun := make(chan struct{}, n)
	open := func() *Broker {
		return b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			begun <- struct{}{}
			time.Sleep(100 * time.Millisecond)
			got.add(e)
			return nil
		})
	}
	r := open()
	messages := make([]amqp.Publishing, n)
	for i := range messages {
		messages[i] = publishing(fmt.Sprint("key", i), event(fmt.Sprint(i)))
	}
	b.publish(messages...)
	<-begun
	b.drainAndClose(r)
	first := got.count()
	if first == 0 || first == n {
		t.Errorf("%d of %d were handled before the end: the test shows nothing", first, n)
	}
	b.await("the rest in the queue", func() bool { return b.depth("test") == n-first })
	r = open()
	b.await("the rest", func() bool { return got.count() >= n })
	b.drainAndClose(r)
	ids := got.all()
	slices.Sort(ids)
	if len(ids) != n || len(slices.Compact(ids)) != n {
		t.Errorf("%d messages were handled %d times", n, got.count())
	}
}

func TestDrainFinishesWhatItHas(t *testing.T) { inBubble(t, func(b *bubble) { drains(t, b) }) }

// What cannot be finished in time comes again, and Drain says so.
func TestDrainSaysWhatItLeaves(t *testing.T) {
	inBubble(t, func(b *bubble) {
		r := b.open(func(context.Context, string, *orderpb.Event) error { time.Sleep(time.Minute); return nil })
		b.send(event("slow"))
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if err := r.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "come again") {
			t.Errorf("Drain: %v, want the deadline's error, and what becomes of the message", err)
		}
		r.Close(ctx)
		if left := b.depth("test"); left != 1 {
			t.Errorf("%d messages are left, want the one in work", left)
		}
		time.Sleep(time.Minute) // the work ends
	})
}

// A message over the limit is refused before it is sent.
func TestAMessageOverTheLimit(t *testing.T) {
	inBubble(t, func(b *bubble) {
		r := b.open(nil)
		if err := r.Publish(b.Context(), "orders", eventOf(strings.Repeat("x", carrier.MaxBody))); carrier.AsFailed("", err).Reason() != carrier.TooLarge {
			t.Errorf("error %v", err)
		}
		if spans := b.Named("send tracelab:orders"); len(spans) > 0 {
			t.Errorf("%d send spans", len(spans))
		}
		b.drainAndClose(r)
	})
}
