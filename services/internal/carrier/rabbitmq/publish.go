package rabbitmq

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// sentHeader is when a message was made, in microseconds since 1970: AMQP's own timestamp counts seconds.
const sentHeader = "tracelab-sent"

var errClosed = errors.New("the connection was closed before the broker acknowledged the message")

// Publish sends an event, keyed by its order, and returns when the broker has acknowledged it. The message does not depend on the context's
// deadline: when that passes first, the error says that the outcome is open. A broker that is away, that has no room or that knows no queue for the
// topic is tried again until it takes the message or is closed here; so it may have the message twice, under one message id.
func (r *Broker) Publish(ctx context.Context, topic string, event *orderpb.Event) error {
	value, err := carrier.EncodeEvent(topic, event)
	if err != nil {
		return err
	}
	if r.pending.Add(1) > maxPublishing {
		r.pending.Add(-1)
		return carrier.Fail("", carrier.Unavailable, fmt.Sprintf("%d messages wait for the broker's acknowledgement, so none for %s is taken", maxPublishing, topic))
	}
	message := amqp.Publishing{
		DeliveryMode: amqp.Persistent, ContentType: carrier.ContentType, MessageId: rand.Text(), CorrelationId: event.GetOrder().GetId(), AppId: r.config.Service,
		Timestamp: time.Now(), Headers: amqp.Table{sentHeader: time.Now().UnixMicro()}, Body: value,
	}
	if stored := carrier.StoredHeaders(ctx); stored != nil {
		for name, value := range stored {
			message.Headers[name] = value
		}
		ctx = otelamqp.KeepCreationContext(ctx)
	}
	acknowledged := make(chan error, 1)
	begun := r.begin(r.life, &r.publishing, func() {
		defer r.pending.Add(-1)
		sending, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		defer cancel(nil)
		defer context.AfterFunc(r.life, func() { cancel(errClosed) })()
		acknowledged <- r.publish(sending, topic, message)
	})
	if !begun {
		r.pending.Add(-1)
		return carrier.Fail("", carrier.Unavailable, errClosed.Error())
	}
	return carrier.AwaitAcknowledgement(ctx, topic, acknowledged)
}

// publish sends a message under a topic.
func (r *Broker) publish(ctx context.Context, topic string, message amqp.Publishing) error {
	return r.publishTo(ctx, r.names.exchange(), topic, message)
}

// publishTo tries until the broker has the message, or the context ends.
func (r *Broker) publishTo(ctx context.Context, exchange, topic string, message amqp.Publishing) error {
	for {
		s, err := r.current(ctx)
		if err != nil {
			return err
		}
		if err = s.out.PublishConfirmed(ctx, exchange, topic, true, message); err == nil || ctx.Err() != nil {
			return err
		}
		r.trouble.Do(func() {
			r.log.WarnContext(ctx, "rabbitmq did not take a message; trying again", "topic", topic, "error", err)
		})
		if _, unroutable := errors.AsType[*otelamqp.ReturnedError](err); unroutable {
			r.rebind.Do(func() { _ = r.declare(s.out.Channel) }) // an error ends the session, and the next one declares, too
		}
		r.pause()
	}
}
