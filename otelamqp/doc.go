// Package otelamqp traces and measures github.com/rabbitmq/amqp091-go channels
// by the OpenTelemetry semantic conventions for messaging and RabbitMQ, version
// 1.43 (in development there: names may still change).
//
// One Instrumentation serves any number of connections. It opens channels that
// are used like those of amqp091-go:
//
//	in, err := otelamqp.New(otelamqp.WithTracerProvider(tp), otelamqp.WithPropagator(p))
//	ch, err := in.Channel(conn)
//
//	err = ch.PublishConfirmed(ctx, "orders", "placed", true, message)   // span "send orders:placed", until the confirm
//
//	deliveries, err := ch.Consume("shipping", "", false, false, false, false, nil)
//	for d := range deliveries {
//		err := in.Process(ctx, d, handle)                                // span "process orders:placed:shipping", current in handle
//		err = d.Ack(false)                                               // span "ack orders:placed:shipping"
//	}
//
// How a process span refers to the span that sent its message is the Relation.
package otelamqp
