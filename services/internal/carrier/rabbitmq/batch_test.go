package rabbitmq

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// publishIn sends an order of a form, below a span.
func (b *bubble) publishIn(r *Broker, form, id string) {
	b.Helper()
	member, err := baggage.NewMember("form", form)
	b.Must(err)
	bag, err := baggage.New(member)
	b.Must(err)
	ctx, span := b.Provider.Tracer.Start(baggage.ContextWithBaggage(b.Context(), bag), "place "+id)
	defer span.End()
	b.Must(r.Publish(ctx, "orders", eventOf(id)))
}

// batching says that the form batch is handled by three, or what comes within 50 ms.
func batching(ctx context.Context, topic string) (carrier.Batch, bool) {
	form := baggage.FromContext(ctx).Member("form").Value()
	return carrier.Batch{Topic: topic, Form: form, Size: 3, Wait: 50 * time.Millisecond}, form == "batch"
}

// Messages of a batch have one process span with a link for each, and below it a span for each unit; they are acknowledged after the whole batch, and
// one that cannot be finished comes again alone.
func TestABatchHasOneProcessSpan(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		b.batch = batching
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			got.add(e)
			if e.GetOrder().GetId() == "d" && got.count() < 5 {
				return fmt.Errorf("%w: nobody took the next message", carrier.ErrUnfinished)
			}
			return nil
		})
		for _, id := range []string{"a", "b", "c", "d"} {
			b.publishIn(r, "batch", id)
		}
		b.publishIn(r, "single", "alone")
		time.Sleep(10 * time.Second)
		b.drainAndClose(r)
		ids := got.all()
		slices.Sort(ids)
		if left := b.depth("test"); left != 0 || !slices.Equal(slices.Compact(ids), []string{"a", "alone", "b", "c", "d"}) {
			t.Errorf("%d messages left, handled %v", left, ids)
		}
		var counts []string
		for _, span := range b.Named("process tracelab:orders:test") {
			counts = append(counts, fmt.Sprintf("%s/%d", carriertest.Attribute(span, "messaging.batch.message_count"), len(span.Links())))
		}
		slices.Sort(counts)
		if !slices.Contains(counts, "3/3") || !slices.Contains(counts, "/1") || !slices.Contains(counts, "1/1") {
			t.Errorf("process spans by message count and links: %v, want one of three, one of one, and one without a batch", counts)
		}
		sends := map[trace.SpanID]bool{}
		for _, span := range b.Named("send tracelab:orders") {
			sends[span.SpanContext().SpanID()] = true
		}
		units := b.Named(carrier.UnitOfBatch)
		for _, span := range units {
			if links := span.Links(); len(links) == 0 || !sends[links[0].SpanContext.SpanID()] || !span.Parent().IsValid() {
				t.Errorf("a unit's span: links %v, parent %v", links, span.Parent())
			}
		}
		if len(units) < 4 {
			t.Errorf("%d spans of units, want one for each message", len(units))
		}
	})
}
