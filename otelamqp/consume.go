package otelamqp

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/trace"
)

// subscription is a queue that a Channel consumes. It is the Acknowledger of its
// deliveries, by which they know their queue.
type subscription struct {
	c       *Channel
	queue   string
	autoAck bool
}

func (s *subscription) Ack(tag uint64, multiple bool) error { return s.c.Ack(tag, multiple) }

func (s *subscription) Nack(tag uint64, multiple, requeue bool) error {
	return s.c.Nack(tag, multiple, requeue)
}

func (s *subscription) Reject(tag uint64, requeue bool) error { return s.c.Reject(tag, requeue) }

// Consume is that of amqp091-go. Deliveries know their queue, and acknowledging
// them has spans.
func (c *Channel) Consume(queue, consumer string, autoAck, exclusive, noLocal, noWait bool, args amqp.Table) (<-chan amqp.Delivery, error) {
	if !c.usable() {
		return nil, errNil
	}
	deliveries, err := c.Channel.Consume(queue, consumer, autoAck, exclusive, noLocal, noWait, args)
	if err != nil {
		return nil, err
	}
	return c.receive(deliveries, &subscription{c, queue, autoAck}), nil
}

// ConsumeWithContext is that of amqp091-go, like Consume.
func (c *Channel) ConsumeWithContext(ctx context.Context, queue, consumer string, autoAck, exclusive, noLocal, noWait bool, args amqp.Table) (<-chan amqp.Delivery, error) {
	if !c.usable() {
		return nil, errNil
	}
	deliveries, err := c.Channel.ConsumeWithContext(orBackground(ctx), queue, consumer, autoAck, exclusive, noLocal, noWait, args)
	if err != nil {
		return nil, err
	}
	return c.receive(deliveries, &subscription{c, queue, autoAck}), nil
}

// receive passes deliveries on until they end, or until the channel is closed
// and nobody takes them.
func (c *Channel) receive(deliveries <-chan amqp.Delivery, s *subscription) <-chan amqp.Delivery {
	out := make(chan amqp.Delivery)
	go func() {
		defer close(out)
		for d := range deliveries {
			s.take(&d, operationProcess)
			select {
			case out <- d:
			case <-c.done:
				return
			}
		}
	}()
	return out
}

// take counts a delivery and keeps it in mind until it is acknowledged.
func (s *subscription) take(d *amqp.Delivery, k operationKind) {
	d.Acknowledger = s
	in, dest := s.c.server.in, s.destination(d)
	in.instruments.consumed.Add(context.Background(), 1, dest.op(k).measure.add...)
	if !s.autoAck {
		s.c.track(d.DeliveryTag, &unsettled{destination: dest, headers: d.Headers})
	}
}

func (s *subscription) destination(d *amqp.Delivery) *destination {
	return s.c.server.destination(Destination{Exchange: d.Exchange, RoutingKey: d.RoutingKey, Queue: s.queue})
}

// Get is that of amqp091-go, with a span when it brought a message or failed. The
// span is the root of its own trace, with a link to the message's creation
// context, and the parent of nothing.
func (c *Channel) Get(queue string, autoAck bool) (msg amqp.Delivery, ok bool, err error) {
	if !c.usable() {
		return amqp.Delivery{}, false, errNil
	}
	start := time.Now()
	msg, ok, err = c.Channel.Get(queue, autoAck)
	if !ok && err == nil {
		return msg, false, nil
	}
	in, s := c.server.in, &subscription{c, queue, autoAck}
	if ok {
		s.take(&msg, operationGet)
	}
	op := s.destination(&msg).op(operationGet)
	ctx, now := context.Background(), time.Now()
	creation, doubled := in.extractLink(msg.Headers)
	_, span := in.start(ctx, op.spanName, with(withLinks(op.root, creation), trace.WithTimestamp(start)))
	if span.IsRecording() {
		span.SetAttributes(c.server.client...)
		if ok {
			span.SetAttributes(in.appendReceived(nil, &msg, doubled)...)
		}
	}
	in.instruments.operation.Record(ctx, now.Sub(start).Seconds(), op.of(err).record...)
	failSpan(span, err)
	span.End(trace.WithTimestamp(now))
	return msg, ok, err
}

// destinationOf returns where d was found. A delivery that no Channel of in
// received does not know its queue.
func (in *Instrumentation) destinationOf(d *amqp.Delivery) (*destination, *subscription) {
	if s, ok := d.Acknowledger.(*subscription); ok && s.c.server.in == in {
		return s.destination(d), s
	}
	return in.unknown.destination(Destination{Exchange: d.Exchange, RoutingKey: d.RoutingKey}), nil
}
