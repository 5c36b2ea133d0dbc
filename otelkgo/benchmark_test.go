package otelkgo_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/otelkgo"
)

// BenchmarkPoll is the poll span over n records of one topic, for each record:
// what comes on top of sending and processing it.
func BenchmarkPoll(b *testing.B) {
	const n = 32
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(endOnly{}))
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		b.Fatal(err)
	}
	defer cluster.Close()
	in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithPropagator(propagator))
	if err != nil {
		b.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.WithHooks(in.Hooks()...), kgo.ConsumeTopics("orders"))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	ctx := b.Context()
	records := make([]*kgo.Record, n)
	for _, poll := range []struct {
		name string
		poll func() kgo.Fetches
	}{
		{"kgo", func() kgo.Fetches { return cl.PollRecords(ctx, n) }},
		{"otelkgo", func() kgo.Fetches { return in.PollRecords(ctx, cl, n) }},
	} {
		b.Run(poll.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				b.StopTimer()
				for i := range records {
					records[i] = &kgo.Record{Topic: "orders"}
				}
				if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
					b.Fatal(err)
				}
				for cl.BufferedFetchRecords() < n {
					time.Sleep(100 * time.Microsecond)
				}
				b.StartTimer()
				if got := poll.poll().NumRecords(); got != n {
					b.Fatalf("%d records, want %d", got, n)
				}
			}
		})
	}
}

// endOnly takes spans and does nothing, so that a sampled span is a real one.
type endOnly struct{ sdktrace.SpanProcessor }

func (endOnly) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (endOnly) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (endOnly) Shutdown(context.Context) error                  { return nil }
