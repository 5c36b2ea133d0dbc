package otelkgo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A service that handles the records of a group.
func Example_service() {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		panic(err)
	}
	defer broker.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = shop(ctx, func(_ context.Context, r *kgo.Record) error {
		fmt.Printf("handled %s\n", r.Value)
		cancel()
		return nil
	}, broker.ListenAddrs()...)
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// handled parcel 7
	// true
}
