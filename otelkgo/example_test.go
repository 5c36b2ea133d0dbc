package otelkgo_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tracelab/otelkgo"
)

// A record is sent, polled, handled and committed: four spans in three traces,
// as polls and commits serve many.
func Example() {
	spans := tracetest.NewInMemoryExporter()
	in, err := otelkgo.New(
		otelkgo.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))),
		otelkgo.WithPropagator(propagation.TraceContext{}),
	)
	if err != nil {
		panic(err)
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		panic(err)
	}
	defer broker.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...), kgo.WithHooks(in.Hooks()...),
		kgo.ConsumerGroup("shipping"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit())
	if err != nil {
		panic(err)
	}
	defer cl.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("{}")}).FirstErr(); err != nil {
		panic(err)
	}
	for _, r := range in.PollFetches(ctx, cl).Records() {
		err := in.Process(ctx, r, func(context.Context, *kgo.Record) error { return nil })
		if err != nil {
			panic(err)
		}
	}
	if err := in.CommitOffsets(ctx, cl, cl.UncommittedOffsets()); err != nil {
		panic(err)
	}
	names := []string{}
	traces := map[string]bool{}
	for _, s := range spans.GetSpans() {
		names = append(names, s.Name)
		traces[s.SpanContext.TraceID().String()] = true
	}
	sort.Strings(names)
	fmt.Println(names, "in", len(traces), "traces")
	// Output: [commit orders poll orders process orders send orders] in 3 traces
}

// A record that cannot be handled is retried on a topic of its own and, after
// three attempts, put aside.
func ExampleInstrumentation_Retry() {
	in, err := otelkgo.New()
	if err != nil {
		panic(err)
	}
	fail := errors.New("no stock")
	next := func(ctx context.Context, r *kgo.Record) *kgo.Record {
		if otelkgo.Attempt(r) == 3 {
			return in.DeadLetter(ctx, r, "orders.dead", fail)
		}
		return in.Retry(ctx, r, "orders.retry")
	}
	r := &kgo.Record{Topic: "orders", Partition: 2, Offset: 41}
	for range 4 {
		r = next(context.Background(), r)
		origin, _ := otelkgo.OriginOf(r)
		fmt.Println(r.Topic, otelkgo.Attempt(r), "from", origin.Topic, origin.Partition, origin.Offset)
	}
	// Output:
	// orders.retry 1 from orders 2 41
	// orders.retry 2 from orders 2 41
	// orders.retry 3 from orders 2 41
	// orders.dead 3 from orders 2 41
}

// The relation may depend on the record, here on a header.
func ExampleWithRelationFunc() {
	_, err := otelkgo.New(otelkgo.WithRelationFunc(func(_ context.Context, r *kgo.Record) otelkgo.Relation {
		if (otelkgo.RecordCarrier{Record: r}).Get("bulk") != "" {
			return otelkgo.RelationLink
		}
		return otelkgo.RelationBoth
	}))
	fmt.Println(err)
	// Output: <nil>
}
