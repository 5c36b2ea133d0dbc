package otelkgo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// A send span lasts from Produce to the acknowledgement, retries inside.
func TestSendLastsUntilTheAcknowledgement(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.RetryBackoffFn(func(int) time.Duration { return 70 * time.Millisecond }))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"}) // the client knows the topic now
		b.spans.Reset()
		fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 2})
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		if fault.Hits() != 2 {
			t.Fatalf("%d requests failed, want 2", fault.Hits())
		}
		spans := b.spans.Ended()
		if len(spans) != 1 {
			t.Fatalf("%d spans, want one for all tries", len(spans))
		}
		if d := spans[0].EndTime().Sub(spans[0].StartTime()); d < 140*time.Millisecond || d > time.Second {
			t.Errorf("the span lasts %v, want the two pauses of 70 ms and little more", d)
		}
		b.wantErrorTypes(map[string]string{"send orders": ""})
	})
}

func TestFailedSends(t *testing.T) {
	for _, c := range []struct {
		name, want string
		send       func(b *bubble, cl *kgo.Client) error
	}{
		{"broker's error", "MESSAGE_TOO_LARGE", func(b *bubble, cl *kgo.Client) error {
			b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: -1})
			return cl.ProduceSync(b.Context(), &kgo.Record{Topic: "orders"}).FirstErr()
		}},
		{"canceled", "canceled", func(b *bubble, cl *kgo.Client) error {
			ctx, cancel := context.WithCancel(b.Context())
			cancel()
			return cl.ProduceSync(ctx, &kgo.Record{Topic: "orders"}).FirstErr()
		}},
		{"closed", "client_closed", func(b *bubble, cl *kgo.Client) error {
			cl.Close()
			return cl.ProduceSync(b.Context(), &kgo.Record{Topic: "orders"}).FirstErr()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, []string{"orders"}, func(b *bubble) {
				cl := b.client()
				defer cl.Close()
				if err := c.send(b, cl); err == nil {
					t.Fatal("the record was sent")
				}
				b.wantErrorTypes(map[string]string{"send orders": c.want})
				for _, s := range b.spans.Ended() {
					if attributeOf(s, "messaging.destination.partition.id") != "" {
						t.Error("a record that was not accepted has a partition")
					}
				}
			})
		})
	}
}

func TestRecordWithoutTopic(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		if err := cl.ProduceSync(b.Context(), &kgo.Record{}).FirstErr(); err == nil {
			t.Fatal("the record was sent")
		}
		b.wantErrorTypes(map[string]string{"send": "*errors.errorString"})
	})
}

// A record that was fetched and not polled, and a poll that brings nothing,
// leave no span.
func TestPrefetchedRecordsHaveNoSpan(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		for cl.BufferedFetchRecords() == 0 {
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		other := b.client(kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
		defer other.Close()
		if n := b.in.PollFetches(ctx, other).NumRecords(); n != 0 {
			t.Errorf("%d records polled at the end of the topic", n)
		}
		for _, s := range b.spans.Started() {
			if s.Name() != "send orders" {
				t.Errorf("span %q", s.Name())
			}
		}
	})
}

// Without sampling there are no spans, yet context and baggage go on.
func TestUnsampled(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithSpanProcessor(b.spans))
		in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithPropagator(propagator))
		b.must(err)
		b.in, b.tp = in, tp
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		ctx, server := b.order("1")
		b.produce(ctx, cl, &kgo.Record{Topic: "orders"})
		r := b.poll(cl, 1)[0]
		if tpnt := (otelkgo.RecordCarrier{Record: r}).Get("traceparent"); !strings.HasSuffix(tpnt, "-00") {
			t.Errorf("traceparent %q, want one that is not sampled", tpnt)
		}
		b.must(in.Process(b.Context(), r, func(ctx context.Context, _ *kgo.Record) error {
			if sc := trace.SpanContextFromContext(ctx); sc.TraceID() != server.SpanContext().TraceID() || sc.IsSampled() {
				t.Errorf("span context %v in the handler, want the unsampled trace %s", sc, server.SpanContext().TraceID())
			}
			if baggage.FromContext(ctx).Member("order").Value() != "1" {
				t.Error("the baggage is gone")
			}
			return nil
		}))
		if n := len(b.spans.Started()); n != 0 {
			t.Errorf("%d spans are recorded", n)
		}
	})
}

// An old context in the headers must not join the new one.
func TestOldHeadersAreReplaced(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		old := []kgo.RecordHeader{
			{Key: "traceparent", Value: []byte("00-11111111111111111111111111111111-1111111111111111-01")},
			{Key: "Tracestate", Value: []byte("old=1")}, {Key: "kept", Value: []byte("1")},
			{Key: "baggage", Value: []byte("order=old")}, {Key: "traceparent", Value: nil},
		}
		shared := append([]kgo.RecordHeader(nil), old...)
		r := &kgo.Record{Topic: "orders", Headers: shared}
		b.produce(b.Context(), cl, r) // without baggage
		c := otelkgo.RecordCarrier{Record: r}
		if tpnt := c.Values("traceparent"); len(tpnt) != 1 || strings.Contains(tpnt[0], "1111") {
			t.Errorf("traceparents %q, want a new one", tpnt)
		}
		if c.Get("tracestate") != "" || c.Get("baggage") != "" || c.Get("kept") != "1" {
			t.Errorf("headers %q", r.Headers)
		}
		for i := range old {
			if shared[i].Key != old[i].Key || string(shared[i].Value) != string(old[i].Value) {
				t.Errorf("the caller's header %d was changed to %v", i, shared[i])
			}
		}
	})
}

// Sent on as it is, a fetched record stays in its trace: kgo ignores the
// context of Produce then, so the handler's span cannot be the parent.
func TestFetchedRecordSentAsItIs(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		ctx, server := b.order("1")
		b.produce(ctx, cl, &kgo.Record{Topic: "orders"})
		first := b.poll(cl, 1)[0]
		sent := trace.SpanContextFromContext(propagator.Extract(b.Context(), otelkgo.RecordCarrier{Record: first}))
		b.produce(b.Context(), cl, first)
		again := b.poll(cl, 1)[0]
		b.must(b.in.Process(b.Context(), again, func(ctx context.Context, _ *kgo.Record) error {
			if got := trace.SpanContextFromContext(ctx).TraceID(); got != server.SpanContext().TraceID() {
				t.Errorf("trace %s, want that of the order", got)
			}
			if baggage.FromContext(ctx).Member("order").Value() != "1" {
				t.Error("the baggage is gone")
			}
			return nil
		}))
		last := b.spans.Ended()[2]
		if last.Name() != "send orders" || last.Parent().SpanID() != sent.SpanID() {
			t.Errorf("%s has the parent %s, want the first send span %s", last.Name(), last.Parent().SpanID(), sent.SpanID())
		}
	})
}

func TestSeveralClients(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		one, two := b.client(kgo.ClientID("one")), b.client(kgo.ClientID("two"))
		defer one.Close()
		defer two.Close()
		b.produce(b.Context(), one, &kgo.Record{Topic: "orders"})
		b.produce(b.Context(), two, &kgo.Record{Topic: "orders"})
		for _, group := range []string{"a", "b"} {
			cl := b.member(group, kgo.ClientID("of-"+group), kgo.ConsumeTopics("orders"))
			for _, r := range b.poll(cl, 2) {
				b.process(r)
			}
			cl.Close()
		}
		count := map[string]int{}
		for _, s := range b.spans.Ended() {
			if !strings.HasPrefix(s.Name(), "poll") {
				count[s.Name()+" "+attributeOf(s, "messaging.client.id")+" "+attributeOf(s, "messaging.consumer.group.name")]++
			}
		}
		for _, want := range []string{"send orders one ", "send orders two "} {
			if count[want] != 1 {
				t.Errorf("%d spans %q, want 1, of %v", count[want], want, count)
			}
		}
		for _, want := range []string{"process orders of-a a", "process orders of-b b"} {
			if count[want] != 2 {
				t.Errorf("%d spans %q, want 2, of %v", count[want], want, count)
			}
		}
	})
}

func TestPanicEndsTheSpan(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		r := b.poll(cl, 1)[0]
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not go on")
				}
			}()
			_ = b.in.Process(b.Context(), r, func(context.Context, *kgo.Record) error { panic("no stock") })
		}()
		b.wantErrorTypes(map[string]string{"process orders": "panic"})
	})
}

func TestEndCountsOnce(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		_, p := b.in.StartProcess(b.Context(), b.poll(cl, 1)[0])
		p.End(nil)
		p.End(errors.New("too late"))
		b.wantErrorTypes(map[string]string{"process orders": ""})
		b.wantMetric("messaging.process.duration", 1)
	})
}
