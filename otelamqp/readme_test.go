package otelamqp_test

// README.md shows this file word for word, from here to the end.

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
)

// open opens a channel with confirms, and makes the exchange orders, whose key
// placed leads to the queue parcels.
func open(in *otelamqp.Instrumentation, conn *amqp.Connection) (*otelamqp.Channel, error) {
	ch, err := in.Channel(conn)
	if err != nil {
		return nil, err
	}
	_, err = ch.QueueDeclare("parcels", true, false, false, false, nil)
	return ch, errors.Join(err, ch.Confirm(false),
		ch.ExchangeDeclare("orders", "topic", true, false, false, false, nil),
		ch.QueueBind("parcels", "placed", "orders", false, nil))
}

// place sends an order and returns when the server has it.
func place(ctx context.Context, ch *otelamqp.Channel, id string) error {
	return ch.PublishConfirmed(ctx, "orders", "placed", true, amqp.Publishing{
		DeliveryMode: amqp.Persistent, MessageId: id, CorrelationId: id, ContentType: "application/json", Body: []byte("{}"),
	})
}

// consume handles messages of the queue until ctx or the channel ends. What fails
// is dropped, or goes to the dead letters of a queue that has some.
func consume(ctx context.Context, in *otelamqp.Instrumentation, ch *otelamqp.Channel, handle func(context.Context, amqp.Delivery) error) error {
	deliveries, err := ch.ConsumeWithContext(ctx, "parcels", "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	for d := range deliveries {
		err := in.Process(ctx, d, handle)
		if err == nil {
			err = d.Ack(false)
		} else {
			err = d.Nack(false, false)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// shop places an order and handles it. The URL of a RabbitMQ on this machine is
// amqp://guest:guest@localhost:5672/.
func shop(ctx context.Context, url string, handle func(context.Context, amqp.Delivery) error) error {
	in, err := otelamqp.New() // with OpenTelemetry's global providers and propagator
	if err != nil {
		return err
	}
	conn, err := amqp.Dial(url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is under way any more
	ch, err := open(in, conn)
	if err != nil {
		return err
	}
	if err := place(ctx, ch, "o-7"); err != nil {
		return err
	}
	return consume(ctx, in, ch, handle)
}
