package otelkgo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/otelkgo"
)

// newClient returns a client with its instrumentation.
func newClient(brokers ...string) (*otelkgo.Instrumentation, *kgo.Client, error) {
	in, err := otelkgo.New() // OpenTelemetry's global providers and propagator
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

// A service that handles the records of a group.
func Example_service() {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		panic(err)
	}
	defer broker.Close()
	in, cl, err := newClient(broker.ListenAddrs()...)
	if err != nil {
		panic(err)
	}
	defer cl.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cl.Produce(ctx, &kgo.Record{Topic: "orders", Value: []byte("parcel 7")}, nil)
	err = consume(ctx, in, cl, func(_ context.Context, r *kgo.Record) error {
		fmt.Printf("handled %s\n", r.Value)
		cancel()
		return nil
	})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// handled parcel 7
	// true
}
