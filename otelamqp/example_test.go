package otelamqp_test

import (
	"context"
	"errors"
	"fmt"
	"sort"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tracelab/otelamqp"
	"tracelab/otelamqp/amqptest"
)

// A message is sent, handled and acknowledged: three spans in one trace.
func Example() {
	spans := tracetest.NewInMemoryExporter()
	in, err := otelamqp.New(
		otelamqp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))),
		otelamqp.WithPropagator(propagation.TraceContext{}),
	)
	if err != nil {
		panic(err)
	}
	ch := openHere(in)
	defer ch.stop()

	ctx, cancel := context.WithCancel(context.Background())
	if err := place(ctx, ch.Channel, "o-7"); err != nil {
		panic(err)
	}
	err = consume(ctx, in, ch.Channel, func(_ context.Context, d amqp.Delivery) error {
		fmt.Println("handled", d.MessageId)
		cancel()
		return nil
	})
	fmt.Println(errors.Is(err, context.Canceled))
	names := []string{}
	traces := map[string]bool{}
	for _, s := range spans.GetSpans() {
		names = append(names, s.Name)
		traces[s.SpanContext.TraceID().String()] = true
	}
	sort.Strings(names)
	fmt.Printf("%q in %d trace\n", names, len(traces))
	// Output:
	// handled o-7
	// true
	// ["ack orders:placed:parcels" "process orders:placed:parcels" "send orders:placed"] in 1 trace
}

// A mandatory message that no queue takes is an error, though the server
// acknowledges it.
func ExampleChannel_PublishConfirmed() {
	in, err := otelamqp.New()
	if err != nil {
		panic(err)
	}
	ch := openHere(in)
	defer ch.stop()
	err = ch.PublishConfirmed(context.Background(), "orders", "lost", true, amqp.Publishing{})
	fmt.Println(err)
	// Output: message to orders:lost was returned: NO_ROUTE (312)
}

// Messages that are handled together have one span, and one acknowledgement.
func ExampleInstrumentation_ProcessBatch() {
	in, err := otelamqp.New()
	if err != nil {
		panic(err)
	}
	ch := openHere(in)
	defer ch.stop()
	ctx := context.Background()
	for _, id := range []string{"o-1", "o-2", "o-3"} {
		if err := place(ctx, ch.Channel, id); err != nil {
			panic(err)
		}
	}
	deliveries, err := ch.Consume("parcels", "", false, false, false, false, nil)
	if err != nil {
		panic(err)
	}
	batch := []amqp.Delivery{<-deliveries, <-deliveries, <-deliveries}
	err = in.ProcessBatch(ctx, batch, func(_ context.Context, batch []amqp.Delivery) error {
		fmt.Println(len(batch), "messages")
		return nil
	})
	fmt.Println(err, batch[2].Ack(true)) // multiple: this one and all before it
	// Output:
	// 3 messages
	// <nil> <nil>
}

// here is a channel to a broker in this process.
type here struct {
	*otelamqp.Channel
	stop func()
}

// openHere opens a channel as README does.
func openHere(in *otelamqp.Instrumentation) here {
	broker := &amqptest.Broker{}
	conn, err := broker.Dial(amqp.Config{}) // amqp.Dial(url) where a real one is
	if err != nil {
		panic(err)
	}
	ch, err := open(in, conn)
	if err != nil {
		panic(err)
	}
	return here{ch, func() {
		_ = conn.Close()
		broker.Close()
	}}
}
