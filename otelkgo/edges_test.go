package otelkgo_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// What nobody should pass, and what records from anywhere may hold.

// Strings that are not UTF-8 or have no end become attributes all the same:
// valid, cut between characters. An exporter refuses a whole batch for one bad string.
func TestStringsBecomeText(t *testing.T) {
	bad := "\xff\xfe" + strings.Repeat("é", 2000) // a cut at an even byte would split é
	inBubble(t, nil, func(b *bubble) {
		cl := b.member("ship\xffping", kgo.ClientID("cli\xffent"), kgo.DefaultProduceTopic("or\xffders"))
		defer cl.Close()
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		if err := b.in.SendBatch(ctx, cl, &kgo.Record{Key: []byte(strings.Repeat("é", 2000))}).FirstErr(); err == nil {
			t.Error("a record was sent")
		}
		r := &kgo.Record{Topic: "or\xffders" + bad, Key: []byte("é"), Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(bad)}}}
		fail := func(context.Context, *kgo.Record) error { return ownType{errors.New(bad)} }
		if err := b.in.Process(b.Context(), r, fail); err == nil || !strings.Contains(err.Error(), bad) {
			t.Error("the handler's error has changed")
		}
		b.must(b.in.ProcessBatch(b.Context(), []*kgo.Record{r, {Topic: "\xff"}}, func(context.Context, []*kgo.Record) error { return nil }))
		dead := otelkgo.RecordCarrier{Record: b.in.DeadLetter(b.Context(), r, "dead", ownType{errors.New(bad)})}
		checkText(t, "dead letter's error", dead.Get(otelkgo.HeaderErrorMessage))
		checkText(t, "dead letter's error type", dead.Get(otelkgo.HeaderErrorType))
		if got, _ := otelkgo.OriginOf(dead.Record); got.Topic != r.Topic {
			t.Error("the origin is another topic")
		}
		if n := len(b.spans.Ended()); n != 4 {
			t.Errorf("%d spans, want create, send, process and a batch", n)
		}
		for _, s := range b.spans.Ended() {
			checkSpanText(t, s)
		}
		for p := range b.metrics() {
			if !utf8.ValidString(p) {
				t.Errorf("metric %q", p)
			}
		}
	},
		otelkgo.WithMessageID(otelkgo.HeaderValue("id")), otelkgo.WithConversationID(otelkgo.HeaderValue("id")),
		otelkgo.WithSpanAttributes(attribute.String("all\xff", bad)), otelkgo.WithMetricAttributes(attribute.String("all\xff", bad)),
		otelkgo.WithRecordAttributes(func(*kgo.Record) []attribute.KeyValue {
			return []attribute.KeyValue{attribute.StringSlice("many\xff", []string{bad, "b"})}
		}))
}

type ownType struct{ error }

func (e ownType) ErrorType() string { return e.Error() }

func checkSpanText(t *testing.T, s sdktrace.ReadOnlySpan) {
	t.Helper()
	checkText(t, "name", s.Name())
	checkText(t, "status", s.Status().Description)
	attrs := s.Attributes()
	for _, l := range s.Links() {
		attrs = append(attrs, l.Attributes...)
	}
	for _, a := range attrs {
		checkText(t, "key", string(a.Key))
		values := []string{a.Value.AsString()}
		if a.Value.Type() == attribute.STRINGSLICE {
			values = a.Value.AsStringSlice()
		}
		for _, v := range values {
			checkText(t, string(a.Key), v)
		}
	}
}

func checkText(t *testing.T, what, s string) {
	t.Helper()
	if !utf8.ValidString(s) || len(s) > 1024+len("process ") || strings.Count(s, "\uFFFD") > 3 {
		t.Errorf("%s is %q of %d bytes", what, s, len(s))
	}
}

// A record may name any partition. It costs what one partition costs, not what
// all below it would.
func TestPartitionNumbersCostNoMemory(t *testing.T) {
	in, err := otelkgo.New(otelkgo.WithTracerProvider(sdktrace.NewTracerProvider()), otelkgo.WithPropagator(propagator))
	check(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, p := range []int32{20_000_000, math.MaxInt32, math.MinInt32, -1, 4095, 4096} {
		_, process := in.StartProcess(t.Context(), &kgo.Record{Topic: "orders", Partition: p})
		if got, want := attributeOf(process.Span().(sdktrace.ReadOnlySpan), "messaging.destination.partition.id"), fmt.Sprint(max(p, 0)); p >= 0 && got != want {
			t.Errorf("partition id %q, want %s", got, want)
		}
		process.End(nil)
	}
	for i := range int32(20_000) { // more than are remembered
		_, process := in.StartProcess(t.Context(), &kgo.Record{Topic: "orders", Partition: 1<<20 + i})
		process.End(nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 40<<20 {
		t.Errorf("partition numbers hold %d MB", grown>>20)
	}
	runtime.KeepAlive(in)
}

// So may it name any topic.
func TestTopicNamesCostNoMemory(t *testing.T) {
	in, err := otelkgo.New(otelkgo.WithTracerProvider(sdktrace.NewTracerProvider()), otelkgo.WithPropagator(propagator))
	check(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range 6000 {
		_, process := in.StartProcess(t.Context(), &kgo.Record{Topic: fmt.Sprint("orders-", i)})
		process.End(nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 100<<20 {
		t.Errorf("topic names hold %d MB", grown>>20)
	}
	runtime.KeepAlive(in)
}

// A high partition is lost and owned as any other.
func TestHighPartitionIsLost(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		cl := b.member("shipping", kgo.ConsumeTopics("orders"))
		defer cl.Close()
		high := map[string][]int32{"orders": {20_000_000}}
		b.in.OnPartitionsLost(b.Context(), cl, high)
		err := b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{"orders": {20_000_000: {}}})
		if !errors.Is(err, otelkgo.ErrPartitionLost) {
			t.Errorf("commit: %v, want ErrPartitionLost", err)
		}
	})
}

func TestEnumsHaveNames(t *testing.T) {
	for got, want := range map[string]string{
		otelkgo.Relation(9).String(): "relation(9)", otelkgo.SpanMode(9).String(): "span mode(9)",
		otelkgo.SpanAlways.String(): "always", otelkgo.SpanOnError.String(): "on error", otelkgo.SpanNever.String(): "never",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The zero values, and a nil pointer, do the work without telemetry.
func TestZeroValues(t *testing.T) {
	var zero otelkgo.Instrumentation
	for name, in := range map[string]*otelkgo.Instrumentation{"zero": &zero, "nil": nil} {
		inBubble(t, []string{"orders", "stock"}, func(b *bubble) {
			b.in = in
			cl := b.member("shipping", kgo.ConsumeTopics("orders"))
			defer cl.Close()
			b.must(in.ProduceSync(b.Context(), cl, &kgo.Record{Topic: "orders"}).FirstErr())
			b.must(in.SendBatch(b.Context(), cl, &kgo.Record{Topic: "orders"}).FirstErr())
			r := &kgo.Record{Topic: "orders"}
			in.Create(b.Context(), cl, r)
			b.produce(b.Context(), cl, r)
			for _, r := range b.poll(cl, 3) {
				b.must(in.Process(b.Context(), r, func(ctx context.Context, r *kgo.Record) error {
					return cl.ProduceSync(ctx, in.Retry(ctx, r, "stock"), in.DeadLetter(ctx, r, "stock", errors.New("x"))).FirstErr()
				}))
			}
			in.OnPartitionsLost(b.Context(), cl, map[string][]int32{"orders": {0}})
			in.OnPartitionsAssigned(b.Context(), cl, map[string][]int32{"orders": {0}})
			b.must(in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{"orders": {0: {Epoch: -1, Offset: 3}}}))
			if n := len(b.spans.Started()); n != 0 {
				t.Errorf("%s: %d spans", name, n)
			}
		})
	}
	var p otelkgo.Process
	p.End(errors.New("x"))
	p.Span().End()
	(*otelkgo.Process)(nil).End(nil)
	if p.Lost() || (*otelkgo.Process)(nil).Lost() || (*otelkgo.Process)(nil).Span() == nil {
		t.Error("a zero Process is lost or has no span")
	}
}

//nolint:staticcheck // nil contexts are what this is about
func TestNilArguments(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		in := b.in
		for name, err := range map[string]error{
			"SendBatch, nil client":     in.SendBatch(nil, nil, &kgo.Record{}).FirstErr(),
			"ProduceSync, nil client":   in.ProduceSync(nil, nil, &kgo.Record{}).FirstErr(),
			"PollFetches, nil client":   in.PollFetches(nil, nil).Err(),
			"CommitOffsets, nil client": in.CommitOffsets(nil, nil, map[string]map[int32]kgo.EpochOffset{"orders": {}}),
			"Process, nil handler":      in.Process(nil, &kgo.Record{}, nil),
			"ProcessBatch, nil handler": in.ProcessBatch(nil, []*kgo.Record{{}}, nil),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if _, err := in.EndTransaction(nil, nil, kgo.TryCommit); err == nil {
			t.Error("EndTransaction, nil session: no error")
		}
		cl := b.client()
		defer cl.Close()
		if results := in.ProduceSync(nil, cl, nil); len(results) != 1 || results[0].Err == nil {
			t.Errorf("ProduceSync, nil record: %v", results)
		}
		in.Create(nil, cl, nil)
		in.Create(nil, nil, &kgo.Record{})
		in.OnPartitionsLost(nil, nil, map[string][]int32{"orders": {0}})
		b.must(in.Process(nil, nil, func(ctx context.Context, _ *kgo.Record) error { return ctx.Err() }))
		b.must(in.ProcessBatch(nil, []*kgo.Record{nil, {Topic: "orders"}}, func(ctx context.Context, _ []*kgo.Record) error { return ctx.Err() }))
		if ctx := in.ExtractRecord(nil, nil); ctx == nil || trace.SpanContextFromContext(ctx).IsValid() {
			t.Error("ExtractRecord, nil record: a context with a span")
		}
		if next := in.DeadLetter(nil, nil, "dead", nil); next.Topic != "dead" {
			t.Errorf("dead letter of nil: %+v", next)
		}
		if _, ok := otelkgo.OriginOf(nil); ok || otelkgo.Attempt(nil) != 0 {
			t.Error("a nil record has an origin or an attempt")
		}
		var c otelkgo.RecordCarrier
		c.Set("a", "b")
		c.Delete("a")
		if c.Get("a") != "" || len(c.Keys()) != 0 || c.Values("a") != nil {
			t.Error("a carrier without a record has headers")
		}
	})
}
