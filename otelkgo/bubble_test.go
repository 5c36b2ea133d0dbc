package otelkgo_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// bubble is a Kafka cluster on a virtual network in virtual time, and a tracer
// whose ids count up, so that the same test always makes the same spans.
type bubble struct {
	*testing.T
	net     kfake.VirtualNetwork
	cluster *kfake.Cluster
	spans   *tracetest.SpanRecorder
	tp      *sdktrace.TracerProvider
	meters  *sdkmetric.ManualReader
	mp      *sdkmetric.MeterProvider
	in      *otelkgo.Instrumentation
}

var propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// inBubble runs f in a synctest bubble with a cluster that has topics, of two
// partitions each.
func inBubble(t *testing.T, topics []string, f func(b *bubble), opts ...otelkgo.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, spans: tracetest.NewSpanRecorder(), meters: sdkmetric.NewManualReader()}
		b.tp = sdktrace.NewTracerProvider(
			sdktrace.WithIDGenerator(&countingIDs{}),
			sdktrace.WithSpanProcessor(copyBaggage{}),
			sdktrace.WithSpanProcessor(b.spans),
		)
		var err error
		b.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, topics...), kfake.ListenFn(b.net.Listen))
		b.must(err)
		defer b.cluster.Close()
		b.mp = sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.meters))
		b.in, err = otelkgo.New(append([]otelkgo.Option{
			otelkgo.WithTracerProvider(b.tp), otelkgo.WithPropagator(propagator),
			otelkgo.WithMeterProvider(b.mp),
		}, opts...)...)
		b.must(err)
		f(b)
	})
}

func (b *bubble) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// client returns a client that ends with the bubble, or sooner by Close.
func (b *bubble) client(opts ...kgo.Opt) *kgo.Client {
	b.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.cluster.ListenAddrs()...),
		kgo.Dialer(b.net.DialContext),
		kgo.WithHooks(b.in.Hooks()...),
		kgo.ClientID("test"),
		kgo.ProducerLinger(0),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	b.must(err)
	return cl
}

// member returns a client in a group, which commits only when told.
func (b *bubble) member(group string, opts ...kgo.Opt) *kgo.Client {
	b.Helper()
	return b.client(append([]kgo.Opt{kgo.ConsumerGroup(group), kgo.DisableAutoCommit()}, opts...)...)
}

// poll polls until n records came, or a virtual minute has passed.
func (b *bubble) poll(cl *kgo.Client, n int) []*kgo.Record {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	var records []*kgo.Record
	for len(records) < n {
		fetches := b.in.PollFetches(ctx, cl)
		b.must(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	// A fetch has its topics and partitions in no order.
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return records
}

// produce sends one record and waits for its acknowledgement.
func (b *bubble) produce(ctx context.Context, cl *kgo.Client, r *kgo.Record) {
	b.Helper()
	b.must(cl.ProduceSync(ctx, r).FirstErr())
}

// order returns a context with a SERVER span and the baggage order=id.
func (b *bubble) order(id string) (context.Context, trace.Span) {
	b.Helper()
	m, err := baggage.NewMember("order", id)
	b.must(err)
	bag, err := baggage.New(m)
	b.must(err)
	ctx := baggage.ContextWithBaggage(b.Context(), bag)
	return b.tp.Tracer("test").Start(ctx, "POST /orders", trace.WithSpanKind(trace.SpanKindServer))
}

// countingIDs numbers traces and spans from 1.
type countingIDs struct{ traces, spans atomic.Uint64 }

func (c *countingIDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	var t trace.TraceID
	copy(t[:], fmt.Sprintf("trace-%010d", c.traces.Add(1)))
	return t, c.NewSpanID(context.Background(), t)
}

func (c *countingIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var s trace.SpanID
	copy(s[:], fmt.Sprintf("sp%06d", c.spans.Add(1)))
	return s
}

// copyBaggage writes each baggage member of the parent context onto the span,
// as baggage span processors do.
type copyBaggage struct{ sdktrace.SpanProcessor }

func (copyBaggage) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) {
	for _, m := range baggage.FromContext(ctx).Members() {
		s.SetAttributes(attributeString("baggage."+m.Key(), m.Value()))
	}
}
func (copyBaggage) OnEnd(sdktrace.ReadOnlySpan)      {}
func (copyBaggage) Shutdown(context.Context) error   { return nil }
func (copyBaggage) ForceFlush(context.Context) error { return nil }
