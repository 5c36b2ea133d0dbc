//go:build stack

package interop

import (
	"bufio"
	"context"
	"errors"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelamqp"
)

// serveAMQP is the service over RabbitMQ: the queue orders, through the default exchange.
func serveAMQP(ctx context.Context, name, url string, provider trace.TracerProvider) error {
	in, err := otelamqp.New(otelamqp.WithTracerProvider(provider), otelamqp.WithPropagator(propagation.TraceContext{}))
	if err != nil {
		return err
	}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	conn, err := amqp.DialConfig(url, amqp.Config{Properties: properties})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // all was confirmed
	ch, err := in.Channel(conn)
	if err != nil {
		return err
	}
	_, err = ch.QueueDeclare("orders", true, false, false, false, nil)
	if err := errors.Join(err, ch.Confirm(false)); err != nil {
		return err
	}
	if name == "shop" {
		return shop(ctx, provider, func(ctx context.Context) error {
			return ch.PublishConfirmed(ctx, "", "orders", true, amqp.Publishing{DeliveryMode: amqp.Persistent, MessageId: "o-1", Body: []byte("{}")})
		})
	}
	return amqpBilling(ctx, provider.Tracer("interop"), in, ch)
}

// amqpBilling is ready to take an order, but takes it only when a line on standard input says so.
func amqpBilling(ctx context.Context, tracer trace.Tracer, in *otelamqp.Instrumentation, ch *otelamqp.Channel) error {
	say("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	deliveries, err := ch.ConsumeWithContext(ctx, "orders", "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	d := <-deliveries
	err = in.Process(ctx, d, func(ctx context.Context, _ amqp.Delivery) error {
		say("handling")
		_, span := tracer.Start(ctx, "charge")
		time.Sleep(50 * time.Millisecond) // the work
		span.End()
		say("charged")
		return nil
	})
	return errors.Join(err, d.Ack(false))
}
