package rabbitmq

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

// consume begins to take the messages of the service's queue, if it consumes any.
func (r *Broker) consume(s *session) error {
	if len(r.config.Consume) == 0 {
		return nil
	}
	select {
	case <-r.draining.Done():
		return nil
	default:
	}
	deliveries, err := s.in.ConsumeWithContext(r.draining, r.names.queue(r.config.Service), "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	r.begin(r.draining, &r.consuming, func() { r.take(s, deliveries) })
	return nil
}

// take hands messages to workers until the session has ended or no more are to be taken. What is left comes again. A broker that stops delivering in
// a session that goes on has lost the queue: then the session ends, and the next one makes the queue again.
func (r *Broker) take(s *session, deliveries <-chan amqp.Delivery) {
	leaving, leave := context.WithCancel(r.draining)
	defer leave()
	for {
		if r.work.Room(r.draining) == 0 {
			return
		}
		select {
		case d, open := <-deliveries:
			if !open {
				if r.draining.Err() == nil {
					s.close()
				}
				return
			}
			r.deliver(leaving, d)
		case <-r.draining.Done():
			return
		}
	}
}

// deliver hands a message to the workers. It comes again when leaving has ended and it is not finished.
func (r *Broker) deliver(leaving context.Context, d amqp.Delivery) {
	headers := otelamqp.TableCarrier{Table: d.Headers}
	delivery := carrier.Delivery{
		Topic: d.RoutingKey, Key: d.CorrelationId, Value: d.Body, Sent: sentOf(d), Baggage: headers.Values("baggage"),
		Process: func(ctx context.Context) (context.Context, func(error)) {
			ctx, process := r.in.StartProcess(ctx, d)
			return ctx, process.End
		},
		Where: func() []any {
			return []any{"topic", d.RoutingKey, "queue", r.names.queue(r.config.Service), "delivery_tag", d.DeliveryTag}
		},
		History: carrier.HistoryOf(headers.Get), Leaving: leaving,
		DeadLetter: func(ctx context.Context, death carrier.Death) error { return r.deadLetter(ctx, d, death) },
	}
	if r.deliverInBatch(d, delivery) {
		return
	}
	r.work.Take(context.WithoutCancel(r.life), delivery, func(outcome carrier.Outcome) { r.settle(d, outcome) })
}

// settle tells the broker what became of a message. When it cannot be told, the message comes again.
func (r *Broker) settle(d amqp.Delivery, outcome carrier.Outcome) {
	var err error
	switch outcome {
	case carrier.Finished:
		err = d.Ack(false)
	case carrier.Unfinished:
		time.AfterFunc(retryPause, func() { _ = d.Nack(false, true) }) // without a pause it would come again at once
	}
	if err != nil && r.life.Err() == nil {
		r.trouble.Do(func() {
			r.log.Warn("a message is not acknowledged; it comes again", "topic", d.RoutingKey, "error", err)
		})
	}
}

// sentOf is when a message was made; one of others may say it in seconds, or not at all.
func sentOf(d amqp.Delivery) time.Time {
	if micros, ok := d.Headers[sentHeader].(int64); ok {
		return time.UnixMicro(micros)
	}
	if d.Timestamp.IsZero() {
		return time.Now()
	}
	return d.Timestamp
}
