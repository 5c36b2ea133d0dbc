package otelkgo_test

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/otelkgo"
)

// Batches, creation contexts, and records that come from records.

func TestBatch(t *testing.T) {
	for _, c := range []struct {
		name    string
		records []*kgo.Record
	}{
		{"one-partition", []*kgo.Record{{Topic: "orders", Key: []byte("a")}, {Topic: "orders", Key: []byte("b"), Value: []byte("{}")}}},
		{"one-topic", []*kgo.Record{{Topic: "orders", Value: []byte("{}")}, {Topic: "orders", Partition: 1, Value: []byte("{}")}}},
		{"two-topics", []*kgo.Record{{Topic: "orders", Value: []byte("{}")}, {Topic: "stock", Value: []byte("{}")}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, []string{"orders", "stock"}, func(b *bubble) {
				producer := b.client()
				defer producer.Close()
				for i, r := range c.records {
					ctx, server := b.order(string(rune('1' + i)))
					b.produce(ctx, producer, r)
					server.End()
				}
				cl := b.member("shipping", kgo.ConsumeTopics("orders", "stock"))
				defer cl.Close()
				records := b.poll(cl, len(c.records))
				scope, other := b.order("scope")
				b.must(b.in.ProcessBatch(scope, records, func(ctx context.Context, rs []*kgo.Record) error {
					if len(rs) != len(c.records) {
						t.Errorf("%d records in the handler, want %d", len(rs), len(c.records))
					}
					_, inner := b.tp.Tracer("test").Start(ctx, "inner")
					inner.End()
					return nil
				}))
				other.End()
				b.golden("batch-" + c.name)
			})
		})
	}
}

func TestBatchSaysWhichLinksItLeftOut(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		for range 5 {
			b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		}
		records := b.poll(cl, 5)
		b.must(b.in.ProcessBatch(b.Context(), records, func(context.Context, []*kgo.Record) error { return nil }))
		polled := 0
		for _, s := range b.spans.Ended() {
			links, omitted := len(s.Links()), attributeInt(s, "otelkgo.links.omitted")
			switch s.Name() {
			case "process orders":
				if links != 3 || omitted != 2 {
					t.Errorf("batch: %d links and %d left out, want 3 and 2", links, omitted)
				}
			case "poll orders":
				if count := attributeInt(s, "messaging.batch.message_count"); links+omitted != count || links > 3 {
					t.Errorf("poll: %d links and %d left out of %d messages", links, omitted, count)
				}
				polled += links + omitted
			}
		}
		if polled != 5 {
			t.Errorf("polls account for %d records, want 5", polled)
		}
	}, otelkgo.WithMaxLinks(3))
}

func TestEmptyBatchHasNoSpan(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		b.must(b.in.ProcessBatch(b.Context(), nil, func(context.Context, []*kgo.Record) error {
			t.Error("called without records")
			return nil
		}))
		if n := len(b.spans.Started()); n != 0 {
			t.Errorf("%d spans", n)
		}
	})
}

func TestCreate(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"), kgo.DefaultProduceTopic("orders"))
		defer cl.Close()
		ctx, server := b.order("1")
		r := &kgo.Record{Key: []byte("o-1"), Value: []byte("{}")}
		b.in.Create(ctx, cl, r)
		server.End()
		b.produce(b.Context(), cl, r)
		b.process(b.poll(cl, 1)[0])
		b.golden("create")
	})
}

func TestCustomCreationContextIsKept(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		producer := b.client()
		defer producer.Close()
		ctx, server := b.order("1")
		stored := &kgo.Record{}
		propagator.Inject(ctx, otelkgo.RecordCarrier{Record: stored})
		server.End()
		relay, span := b.tp.Tracer("test").Start(b.Context(), "outbox relay")
		b.produce(otelkgo.KeepCreationContext(relay), producer, &kgo.Record{Topic: "orders", Headers: stored.Headers})
		// Without a context in the headers there is none to keep.
		b.produce(otelkgo.KeepCreationContext(relay), producer, &kgo.Record{Topic: "orders"})
		span.End()
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		for _, r := range b.poll(cl, 2) {
			b.process(r)
		}
		b.golden("custom-creation")
	})
}

func TestSendBatch(t *testing.T) {
	inBubble(t, []string{"orders", "stock"}, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		ctx, server := b.order("1")
		records := []*kgo.Record{
			{Topic: "orders", Key: []byte("a"), Value: []byte("{}")},
			{Topic: "stock", Value: []byte("{}")},
			{Topic: "orders", Key: []byte("b")},
			{Topic: "missing", Value: []byte("{}")},
		}
		results := b.in.SendBatch(ctx, cl, records...)
		server.End()
		if err := results.FirstErr(); err == nil || len(results) != 4 {
			t.Errorf("%d results, first error %v; want 4 and one for the missing topic", len(results), err)
		}
		for _, r := range records {
			if r.Context != nil {
				t.Errorf("record for %s keeps a context after the batch", r.Topic)
			}
			if got := (otelkgo.RecordCarrier{Record: r}).Values("traceparent"); len(got) != 1 {
				t.Errorf("record for %s has traceparents %q", r.Topic, got)
			}
		}
		b.golden("send-batch")
		b.wantMetric("messaging.client.sent.messages", 4)
	})
}

func TestRetryForwardDeadLetter(t *testing.T) {
	inBubble(t, []string{"orders", "orders.retry", "orders.dead"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders", "orders.retry", "orders.dead"))
		defer cl.Close()
		ctx, server := b.order("1")
		b.produce(ctx, cl, &kgo.Record{Topic: "orders", Key: []byte("o-1"), Value: []byte("{}"), Headers: []kgo.RecordHeader{{Key: "kind", Value: []byte("x")}}})
		server.End()
		for _, step := range []func(context.Context, *kgo.Record) *kgo.Record{
			func(ctx context.Context, r *kgo.Record) *kgo.Record { return b.in.Retry(ctx, r, "orders.retry") },
			func(ctx context.Context, r *kgo.Record) *kgo.Record { return b.in.Retry(ctx, r, "orders.retry") },
			func(ctx context.Context, r *kgo.Record) *kgo.Record {
				return b.in.DeadLetter(ctx, r, "orders.dead", context.DeadlineExceeded)
			},
		} {
			r := b.poll(cl, 1)[0]
			b.must(b.in.Process(b.Context(), r, func(ctx context.Context, r *kgo.Record) error {
				next := step(ctx, r)
				if &next.Headers[0] == &r.Headers[0] {
					t.Error("the new record shares its headers with the old one")
				}
				if left := (otelkgo.RecordCarrier{Record: next}); left.Get("traceparent") != "" || left.Get("baggage") != "" {
					t.Errorf("the new record has the old context: %q", next.Headers)
				}
				return cl.ProduceSync(ctx, next).FirstErr()
			}))
		}
		dead := b.poll(cl, 1)[0]
		if got, ok := otelkgo.OriginOf(dead); !ok || got.Topic != "orders" || got.Partition != 0 || got.Offset != 0 || got.Timestamp.IsZero() {
			t.Errorf("origin %+v, %t; want the first topic", got, ok)
		}
		if n := otelkgo.Attempt(dead); n != 2 {
			t.Errorf("attempt %d, want 2", n)
		}
		c := otelkgo.RecordCarrier{Record: dead}
		if c.Get("kind") != "x" || c.Get(otelkgo.HeaderErrorType) != "timeout" || string(dead.Key) != "o-1" {
			t.Errorf("headers %q of the dead letter", dead.Headers)
		}
		for _, k := range []string{"traceparent", "baggage", otelkgo.HeaderOriginTopic} {
			if v := c.Values(k); len(v) != 1 {
				t.Errorf("header %s has values %q, want one", k, v)
			}
		}
		b.golden("retry")
	})
}

func TestOriginOfOtherRecords(t *testing.T) {
	for _, h := range [][]kgo.RecordHeader{
		nil,
		{{Key: otelkgo.HeaderOriginTopic, Value: []byte("x")}},
		{{Key: otelkgo.HeaderOriginTopic, Value: []byte("x")}, {Key: otelkgo.HeaderOriginPartition, Value: []byte("1e3")}},
		{{Key: otelkgo.HeaderOriginTopic, Value: []byte("x")}, {Key: otelkgo.HeaderOriginPartition, Value: []byte("1")}, {Key: otelkgo.HeaderOriginOffset, Value: []byte{0}}},
	} {
		if o, ok := otelkgo.OriginOf(&kgo.Record{Headers: h}); ok {
			t.Errorf("%q has origin %+v", h, o)
		}
	}
	if n := otelkgo.Attempt(&kgo.Record{Headers: []kgo.RecordHeader{{Key: otelkgo.HeaderAttempt, Value: []byte("-3")}}}); n != 0 {
		t.Errorf("attempt %d, want 0", n)
	}
}

// process handles a record with success.
func (b *bubble) process(r *kgo.Record) {
	b.Helper()
	b.must(b.in.Process(b.Context(), r, func(context.Context, *kgo.Record) error { return nil }))
}

func attributeInt(s sdktrace.ReadOnlySpan, key string) int {
	for _, a := range s.Attributes() {
		if string(a.Key) == key {
			return int(a.Value.AsInt64())
		}
	}
	return 0
}
