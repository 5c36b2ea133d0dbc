package otelkgo_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

func TestScopeHasVersion(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		if got := b.spans.Ended()[0].InstrumentationScope(); got.Version != otelkgo.Version || got.Name != otelkgo.ScopeName {
			t.Errorf("scope of spans %+v, want version %s", got, otelkgo.Version)
		}
		var all metricdata.ResourceMetrics
		b.must(b.meters.Collect(b.Context(), &all))
		for _, m := range all.ScopeMetrics {
			if m.Scope.Version != otelkgo.Version {
				t.Errorf("scope of metrics %+v, want version %s", m.Scope, otelkgo.Version)
			}
		}
	})
}

// round sends one record, polls it, processes it alone and in a batch, and commits it.
func (b *bubble) round(r *kgo.Record) {
	b.Helper()
	cl := b.member("shipping", kgo.ConsumeTopics(r.Topic))
	defer cl.Close()
	b.must(b.in.SendBatch(b.Context(), cl, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers}).FirstErr())
	b.must(b.in.ProduceSync(b.Context(), cl, r).FirstErr())
	records := b.poll(cl, 2)
	b.process(records[0])
	b.must(b.in.ProcessBatch(b.Context(), records, func(context.Context, []*kgo.Record) error { return nil }))
	b.must(b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{r.Topic: {0: {Epoch: -1, Offset: 2}}}))
}

// carriers returns the names of spans that have the attribute, "link" among them
// when one of their links has it. Each name stands there once.
func (b *bubble) carriers(key string) []string {
	var names []string
	for _, s := range b.spans.Ended() {
		if attributeMap(s.Attributes())[key] != "" {
			names = append(names, s.Name())
		}
		for _, l := range s.Links() {
			if attributeMap(l.Attributes)[key] != "" {
				names = append(names, "link")
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (b *bubble) wantCarriers(key string, want ...string) {
	b.Helper()
	if got := b.carriers(key); !slices.Equal(got, want) {
		b.Errorf("%s is on %q, want %q", key, got, want)
	}
}

func TestWithoutMessageKey(t *testing.T) {
	person := func() *kgo.Record {
		return &kgo.Record{Topic: "orders", Key: []byte("ada@example.org"), Value: []byte("{}")}
	}
	inBubble(t, []string{"orders"}, func(b *bubble) {
		b.round(person())
		b.wantCarriers("messaging.kafka.message.key", "create orders", "link", "process orders", "send orders")
	})
	inBubble(t, []string{"orders"}, func(b *bubble) {
		b.round(person())
		b.wantCarriers("messaging.kafka.message.key")
	}, otelkgo.WithoutMessageKey())
}

func TestConversationIDFromHeader(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		b.round(&kgo.Record{Topic: "orders", Headers: []kgo.RecordHeader{{Key: "order-id", Value: []byte("o-1")}}})
		b.wantCarriers("messaging.message.conversation_id", "create orders", "link", "process orders", "send orders")
		for _, s := range b.spans.Ended() {
			if got := attributeOf(s, "messaging.message.conversation_id"); got != "" && got != "o-1" {
				t.Errorf("%s has the conversation id %q", s.Name(), got)
			}
		}
	}, otelkgo.WithConversationID(otelkgo.HeaderValue("order-id")))
}

func TestAddedAttributes(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		b.round(&kgo.Record{Topic: "orders"})
		b.wantCarriers("team", "commit orders", "create orders", "poll orders", "process orders", "send orders")
		b.wantCarriers("bytes", "create orders", "link", "process orders", "send orders")
		for _, s := range b.spans.Ended() {
			if got := attributeOf(s, "messaging.system"); got != "kafka" {
				t.Errorf("%s has messaging.system %q: an added attribute goes before the conventions", s.Name(), got)
			}
		}
		for p := range b.metrics() {
			if !strings.Contains(p, "region=eu") {
				t.Errorf("%s has no region", p)
			}
		}
	},
		otelkgo.WithSpanAttributes(attribute.String("team", "logistics"), attribute.String("messaging.system", "mine"), attribute.KeyValue{}),
		otelkgo.WithMetricAttributes(attribute.String("region", "eu"), attribute.String("messaging.operation.name", "mine")),
		otelkgo.WithRecordAttributes(func(r *kgo.Record) []attribute.KeyValue {
			return []attribute.KeyValue{attribute.Int("bytes", len(r.Value)), {}}
		}))
}

// More attributes than a span usually has reach it all the same.
func TestManyRecordAttributes(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		b.round(&kgo.Record{Topic: "orders", Value: []byte("{}")})
		b.wantCarriers("a", "create orders", "link", "process orders", "send orders")
		b.wantCarriers("t", "create orders", "link", "process orders", "send orders")
	}, otelkgo.WithRecordAttributes(func(*kgo.Record) (attrs []attribute.KeyValue) {
		for c := 'a'; c <= 't'; c++ {
			attrs = append(attrs, attribute.Bool(string(c), true))
		}
		return attrs
	}))
}

func TestSpanModes(t *testing.T) {
	for mode, want := range map[otelkgo.SpanMode]struct{ well, failed []string }{
		otelkgo.SpanAlways:  {[]string{"commit orders", "poll orders"}, []string{"commit orders", "poll orders"}},
		otelkgo.SpanOnError: {nil, []string{"commit orders", "poll orders"}},
		otelkgo.SpanNever:   {nil, nil},
	} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, []string{"orders"}, func(b *bubble) {
				cl := b.member("shipping", kgo.ConsumeTopics("orders"))
				defer cl.Close()
				b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
				b.poll(cl, 1)
				offsets := map[string]map[int32]kgo.EpochOffset{"orders": {0: {Epoch: -1, Offset: 1}}}
				b.must(b.in.CommitOffsets(b.Context(), cl, offsets))
				b.wantSpans(want.well, "well")
				b.wantMetric("messaging.client.consumed.messages", 1)

				b.spans.Reset()
				b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.OffsetMetadataTooLarge, Count: 1})
				if err := b.in.CommitOffsets(b.Context(), cl, offsets); !errors.Is(err, kerr.OffsetMetadataTooLarge) {
					t.Errorf("commit: %v", err)
				}
				b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: 1})
				if err := b.in.PollFetches(b.Context(), cl).Err(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
					t.Errorf("poll: %v", err)
				}
				b.wantSpans(want.failed, "failed")
			}, otelkgo.WithPollSpans(mode), otelkgo.WithCommitSpans(mode))
		})
	}
}

// wantSpans checks the names of poll and commit spans that have ended.
func (b *bubble) wantSpans(want []string, when string) {
	b.Helper()
	var got []string
	for _, s := range b.spans.Ended() {
		if strings.HasPrefix(s.Name(), "poll") || strings.HasPrefix(s.Name(), "commit") {
			got = append(got, s.Name())
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		b.Errorf("%s: spans %q, want %q", when, got, want)
	}
}

// A poll that its context ends has not failed: it is how consumers wait.
func TestPollTimeoutHasNoSpan(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		if err := b.in.PollFetches(ctx, cl).Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("poll: %v", err)
		}
		if n := len(b.spans.Started()); n != 0 {
			t.Errorf("%d spans", n)
		}
	})
}

// ProduceSync makes one send span for one record, and a batch of several.
func TestProduceSync(t *testing.T) {
	count := func(spans []sdktrace.ReadOnlySpan) map[string]int {
		n := map[string]int{}
		for _, s := range spans {
			n[s.Name()+" "+s.SpanKind().String()]++
		}
		return n
	}
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		b.must(b.in.ProduceSync(b.Context(), cl, &kgo.Record{Topic: "orders"}).FirstErr())
		if got := count(b.spans.Ended()); got["send orders producer"] != 1 || len(got) != 1 {
			t.Errorf("spans of one record: %v", got)
		}
		b.spans.Reset()
		b.must(b.in.ProduceSync(b.Context(), cl, &kgo.Record{Topic: "orders"}, &kgo.Record{Topic: "orders"}).FirstErr())
		if got := count(b.spans.Ended()); got["create orders producer"] != 2 || got["send orders client"] != 1 || len(got) != 2 {
			t.Errorf("spans of two records: %v", got)
		}
		if n := len(b.in.ProduceSync(b.Context(), cl)); n != 0 {
			t.Errorf("%d results without records", n)
		}
	})
}

func TestOptions(t *testing.T) {
	for name, opts := range map[string][]otelkgo.Option{
		"relation": {otelkgo.WithRelation(7)},
		"links":    {otelkgo.WithMaxLinks(-1)},
		"polls":    {otelkgo.WithPollSpans(7)},
		"commits":  {otelkgo.WithCommitSpans(7)},
		"nil":      {nil},
	} {
		if in, err := otelkgo.New(opts...); err == nil || in != nil {
			t.Errorf("%s: New returned %v, %v", name, in, err)
		}
	}
	for _, r := range []otelkgo.Relation{otelkgo.RelationBoth, otelkgo.RelationParent, otelkgo.RelationLink} {
		if got, err := otelkgo.ParseRelation(r.String()); err != nil || got != r {
			t.Errorf("%s is parsed as %s, %v", r, got, err)
		}
	}
	if _, err := otelkgo.ParseRelation("child"); err == nil {
		t.Error("relation child is taken")
	}
}

func TestRelationFuncAndMessageID(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		for _, id := range []string{"link", "parent"} {
			ctx, server := b.order(id)
			b.produce(ctx, cl, &kgo.Record{Topic: "orders", Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte(id)}}})
			server.End()
		}
		for _, r := range b.poll(cl, 2) {
			b.process(r)
		}
		for _, s := range b.spans.Ended() {
			if s.Name() != "process orders" {
				continue
			}
			id := attributeOf(s, "messaging.message.id")
			if root := !s.Parent().IsValid(); root != (id == "link") || len(s.Links()) == 0 != (id == "parent") {
				t.Errorf("message %s: root %t with %d links", id, root, len(s.Links()))
			}
		}
	}, otelkgo.WithRelationFunc(func(ctx context.Context, _ *kgo.Record) otelkgo.Relation {
		if !trace.SpanContextFromContext(ctx).IsRemote() {
			t.Error("the context has no remote span context")
		}
		r, err := otelkgo.ParseRelation(baggage.FromContext(ctx).Member("order").Value())
		if err != nil {
			t.Error(err)
		}
		return r
	}), otelkgo.WithMessageID(func(r *kgo.Record) string { return otelkgo.RecordCarrier{Record: r}.Get("ce_id") }))
}
