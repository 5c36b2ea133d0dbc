package otelkgo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

func TestRelations(t *testing.T) {
	for _, relation := range []otelkgo.Relation{otelkgo.RelationBoth, otelkgo.RelationParent, otelkgo.RelationLink} {
		t.Run(relation.String(), func(t *testing.T) {
			inBubble(t, []string{"orders"}, func(b *bubble) {
				cl := b.member("shipping", kgo.ConsumeTopics("orders"))
				defer cl.Close()
				ctx, server := b.order("o-1")
				time.Sleep(time.Millisecond)
				b.produce(ctx, cl, &kgo.Record{Topic: "orders", Key: []byte("o-1"), Value: []byte("{}")})
				server.End()
				records := b.poll(cl, 1)
				err := b.in.Process(b.Context(), records[0], func(ctx context.Context, _ *kgo.Record) error {
					if got := baggage.FromContext(ctx).Member("order").Value(); got != "o-1" {
						t.Errorf("baggage in the handler: order=%q, want o-1", got)
					}
					time.Sleep(3 * time.Millisecond)
					_, inner := b.tp.Tracer("test").Start(ctx, "shipping.Dispatch")
					time.Sleep(2 * time.Millisecond)
					inner.End()
					return nil
				})
				b.must(err)
				b.must(b.in.CommitOffsets(ctx, cl, map[string]map[int32]kgo.EpochOffset{
					"orders": {records[0].Partition: {Epoch: -1, Offset: records[0].Offset + 1}},
				}))
				b.golden("relation-" + relation.String())
			}, otelkgo.WithRelation(relation))
		})
	}
}

func TestScopeStaysAsLink(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		ctx, server := b.order("o-1")
		b.produce(ctx, cl, &kgo.Record{Topic: "orders", Value: []byte("{}")})
		server.End()
		r := b.poll(cl, 1)[0]
		scope, other := b.order("o-other")
		processCtx, p := b.in.StartProcess(scope, r)
		if got := baggage.FromContext(processCtx).Member("order").Value(); got != "o-1" {
			t.Errorf("baggage is order=%q, want that of the record", got)
		}
		p.End(errors.New("no stock"))
		other.End()
		b.golden("scope")
	})
}

func TestProducedRecordGetsItsContextBack(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		ctx, server := b.order("o-1")
		r := &kgo.Record{Topic: "orders", Value: []byte("{}")}
		b.produce(ctx, cl, r)
		if got := trace.SpanContextFromContext(r.Context); !got.Equal(server.SpanContext()) {
			t.Errorf("after the acknowledgement the record's context has span %s, want the caller's %s", got.SpanID(), server.SpanContext().SpanID())
		}
		b.produce(ctx, cl, r)
		server.End()
		for _, s := range b.spans.Ended() {
			if s.Name() == "send orders" && s.Parent().SpanID() != server.SpanContext().SpanID() {
				t.Errorf("send span has parent %s, want %s", s.Parent().SpanID(), server.SpanContext().SpanID())
			}
		}
		if n := len(r.Headers); n != 2 {
			t.Errorf("%d headers after sending twice, want traceparent and baggage once each", n)
		}
	})
}
