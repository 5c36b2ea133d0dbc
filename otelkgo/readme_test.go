package otelkgo_test

// README.md shows this file word for word, from here to the end.

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/otelkgo"
)

// newClient returns a client with its instrumentation.
func newClient(brokers ...string) (*otelkgo.Instrumentation, *kgo.Client, error) {
	in, err := otelkgo.New() // with OpenTelemetry's global providers and propagator
	if err != nil {
		return nil, nil, err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.WithHooks(in.Hooks()...),
		kgo.ConsumerGroup("shipping"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit())
	return in, cl, err
}

// consume handles records until ctx ends.
func consume(ctx context.Context, in *otelkgo.Instrumentation, cl *kgo.Client, handle func(context.Context, *kgo.Record) error) error {
	for {
		fetches := in.PollFetches(ctx, cl)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, r := range fetches.Records() {
			if err := in.Process(ctx, r, handle); err != nil {
				return err
			}
		}
		if err := in.CommitOffsets(ctx, cl, cl.UncommittedOffsets()); err != nil {
			return err
		}
	}
}

// shop sends an order and handles it. The topic orders must be there.
func shop(ctx context.Context, handle func(context.Context, *kgo.Record) error, brokers ...string) error {
	in, cl, err := newClient(brokers...)
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("parcel 7")}).FirstErr(); err != nil {
		return err
	}
	return consume(ctx, in, cl, handle)
}
