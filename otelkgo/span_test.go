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

// What the caller's context carries must reach neither a process span of a
// record without a context, nor poll and commit spans.
func TestCallersContextStaysOut(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.member("shipping", kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		scope, other := b.order("other")
		r := b.in.PollFetches(scope, cl).Records()[0]
		r.Headers = nil
		ctx, p := b.in.StartProcess(scope, r)
		if n := baggage.FromContext(ctx).Len(); n != 0 {
			t.Errorf("%d members of the caller's baggage reach the handler", n)
		}
		p.End(nil)
		b.must(b.in.CommitOffsets(scope, cl, map[string]map[int32]kgo.EpochOffset{"orders": {0: {Epoch: -1, Offset: 1}}}))
		other.End()
		count := 0
		for _, s := range b.spans.Ended() {
			if s.Name() == "send orders" || s.Name() == "POST /orders" {
				continue
			}
			count++
			if s.Parent().IsValid() || attributeOf(s, "baggage.order") != "" {
				t.Errorf("%s: parent %t, baggage %q; want a root without baggage", s.Name(), s.Parent().IsValid(), attributeOf(s, "baggage.order"))
			}
			if scoped := len(s.Links()) == 1 && s.Links()[0].SpanContext.Equal(other.SpanContext()); scoped != (s.Name() == "process orders") {
				t.Errorf("%s: linked to the caller's span is %t", s.Name(), scoped)
			}
		}
		if count != 3 {
			t.Errorf("%d spans checked, want poll, process and commit", count)
		}
	})
}

// A caller who has extracted the record's context already gets one link, not two.
func TestCreationContextInScope(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		r := b.poll(cl, 1)[0]
		_, p := b.in.StartProcess(propagator.Extract(b.Context(), otelkgo.RecordCarrier{Record: r}), r)
		p.End(nil)
		for _, s := range b.spans.Ended() {
			if s.Name() == "process orders" && len(s.Links()) != 1 {
				t.Errorf("%d links, want 1", len(s.Links()))
			}
		}
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
