package otelkgo_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// At 800 orders a second polls bring several orders each. In every relation
// they stay journeys of their own: no span of one in the other's.
func TestOrdersInOnePollStayApart(t *testing.T) {
	const orders = 800
	for _, relation := range []otelkgo.Relation{otelkgo.RelationBoth, otelkgo.RelationParent, otelkgo.RelationLink} {
		t.Run(relation.String(), func(t *testing.T) {
			inBubble(t, []string{"orders", "stock"}, func(b *bubble) {
				producer, cl := b.client(), b.member("inventory", kgo.ConsumeTopics("orders"))
				defer producer.Close()
				defer cl.Close()
				roots := make(map[string]trace.SpanContext, orders)
				var sending sync.WaitGroup
				sending.Go(func() {
					for i := range orders {
						id := strconv.Itoa(i)
						ctx, server := b.order(id)
						producer.Produce(ctx, &kgo.Record{Topic: "orders", Partition: int32(i % 2)}, nil)
						server.End()
						roots[id] = server.SpanContext()
						time.Sleep(time.Second / orders)
					}
				})
				most := b.handleAll(cl, producer, orders)
				sending.Wait()
				b.must(producer.Flush(b.Context()))
				if most < 2 {
					t.Errorf("a poll brought %d orders at the most, want several", most)
				}
				checkApart(t, relation, roots, b.spans.Ended())
			}, otelkgo.WithRelation(relation))
		})
	}
}

// handleAll handles n records side by side, each sending one on, and returns
// how many the largest poll brought.
func (b *bubble) handleAll(cl, producer *kgo.Client, n int) (most int) {
	b.Helper()
	for done := 0; done < n; {
		records := b.in.PollRecords(b.Context(), cl, 32).Records()
		most, done = max(most, len(records)), done+len(records)
		var handling sync.WaitGroup
		for _, r := range records {
			handling.Go(func() {
				err := b.in.Process(b.Context(), r, func(ctx context.Context, _ *kgo.Record) error {
					time.Sleep(2 * time.Millisecond)
					producer.Produce(ctx, &kgo.Record{Topic: "stock"}, nil)
					return nil
				})
				if err != nil {
					b.Error(err)
				}
			})
		}
		handling.Wait()
		time.Sleep(10 * time.Millisecond)
	}
	return most
}

// checkApart walks from every span back to its root, by parents and, from a
// process span without one, by its link, and compares orders on the way.
func checkApart(t *testing.T, relation otelkgo.Relation, roots map[string]trace.SpanContext, spans []sdktrace.ReadOnlySpan) {
	t.Helper()
	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		byID[s.SpanContext().SpanID()] = s
	}
	count := map[string]int{}
	for _, s := range spans {
		id := attributeOf(s, "baggage.order")
		if name, _, _ := strings.Cut(s.Name(), " "); name == "poll" {
			if id != "" || s.Parent().IsValid() || s.ChildSpanCount() != 0 {
				t.Fatalf("a poll span has the baggage %q, parent %t and %d children; want none", id, s.Parent().IsValid(), s.ChildSpanCount())
			}
			continue
		}
		count[s.Name()]++
		at, steps := s, 0
		for at.SpanContext().SpanID() != roots[id].SpanID() {
			previous := at.Parent().SpanID()
			if !previous.IsValid() && len(at.Links()) == 1 {
				previous = at.Links()[0].SpanContext.SpanID()
			}
			next, ok := byID[previous]
			if steps++; !ok || steps > 4 || attributeOf(next, "baggage.order") != id {
				t.Fatalf("%s of order %s leads to %q of order %q", s.Name(), id, at.Name(), attributeOf(at, "baggage.order"))
			}
			at = next
		}
		if own := s.SpanContext().TraceID() != roots[id].TraceID(); own != (relation == otelkgo.RelationLink && s.Name() != "POST /orders" && s.Name() != "send orders") {
			t.Fatalf("%s in relation %s: another trace than its root's is %t", s.Name(), relation, own)
		}
	}
	for _, name := range []string{"POST /orders", "send orders", "process orders", "send stock"} {
		if count[name] != len(roots) {
			t.Errorf("%d spans %q, want %d", count[name], name, len(roots))
		}
	}
}
