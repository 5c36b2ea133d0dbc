package otelkgo_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// instrumentation takes the place of kotel.NewTracer and kotel.NewMeter.
func instrumentation(tp trace.TracerProvider, p propagation.TextMapPropagator) (*otelkgo.Instrumentation, error) {
	return otelkgo.New(
		otelkgo.WithTracerProvider(tp),
		otelkgo.WithPropagator(p),
		otelkgo.WithPollSpans(otelkgo.SpanOnError), // kotel has no spans of polls and commits
		otelkgo.WithCommitSpans(otelkgo.SpanOnError),
	)
}

// handleAll takes the place of a loop around kotel's WithProcessSpan.
func handleAll(ctx context.Context, in *otelkgo.Instrumentation, cl *kgo.Client, handle func(context.Context, *kgo.Record) error) error {
	fetches := in.PollFetches(ctx, cl)
	for _, r := range fetches.Records() {
		processCtx, process := in.StartProcess(ctx, r)
		err := handle(processCtx, r)
		process.End(err)
		if err != nil {
			return err
		}
	}
	return fetches.Err()
}

// A service that used kotel before.
func Example_fromKotel() {
	spans := tracetest.NewInMemoryExporter()
	in, err := instrumentation(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)), propagation.TraceContext{})
	if err != nil {
		panic(err)
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		panic(err)
	}
	defer broker.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...), kgo.WithHooks(in.Hooks()...), kgo.ConsumeTopics("orders"))
	if err != nil {
		panic(err)
	}
	defer cl.Close()
	ctx := context.Background()
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "orders"}).FirstErr(); err != nil {
		panic(err)
	}
	if err := handleAll(ctx, in, cl, func(context.Context, *kgo.Record) error { return nil }); err != nil {
		panic(err)
	}
	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name, s.SpanKind)
	}
	// Output:
	// send orders producer
	// process orders consumer
}
