package rabbitmq

import (
	"context"
	"crypto/rand"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/internal/carrier"
)

const (
	repliesAhead = 256    // that wait here for being looked at
	mostReplies  = 10_000 // that wait at the broker: beyond them it forgets the oldest
)

// openReplies makes a queue of this connection alone, which gets every message of the configuration's own topics, however many instances the service
// has, and is gone with it. What was sent before is not for it.
func (r *Broker) openReplies(s *session, conn *amqp.Connection) error {
	own := r.config.Own
	if len(own.Topics) == 0 {
		return nil
	}
	ch, err := r.channel(s, conn)
	if err != nil {
		return err
	}
	if err := ch.Qos(repliesAhead, 0, false); err != nil {
		return err
	}
	// The name is new for each session: the broker may still hold the queue of one that has ended.
	s.replies, s.replyQueue = ch, r.names.own()+"."+rand.Text()[:8]
	if _, err := ch.QueueDeclare(s.replyQueue, false, true, true, false, amqp.Table{"x-max-length": int64(mostReplies)}); err != nil {
		return fmt.Errorf("declare queue %s: %w", s.replyQueue, err)
	}
	for _, topic := range own.Topics {
		if err := ch.QueueBind(s.replyQueue, topic, r.names.exchange(), false, nil); err != nil {
			return fmt.Errorf("bind queue %s to %s of %s: %w", s.replyQueue, topic, r.names.exchange(), err)
		}
	}
	return nil
}

// read begins to take the messages of the configuration's own topics, if it has any.
func (r *Broker) read(s *session) error {
	if s.replies == nil {
		return nil
	}
	select {
	case <-r.draining.Done():
		return nil
	default:
	}
	deliveries, err := s.replies.ConsumeWithContext(r.draining, s.replyQueue, "", false, true, false, false, nil)
	if err != nil {
		return err
	}
	r.begin(r.draining, &r.consuming, func() {
		for d := range deliveries {
			if r.config.Own.Wanted(d.CorrelationId) {
				r.reply(d)
			}
			_ = d.Ack(false) // one that is not acknowledged is looked at again
		}
		if r.draining.Err() == nil { // the queue is gone, and the next session makes another
			s.close()
		}
	})
	return nil
}

// reply handles one message, once.
func (r *Broker) reply(d amqp.Delivery) {
	ctx, process := r.in.StartProcess(context.WithoutCancel(r.life), d)
	event, err := carrier.DecodeEvent(d.Body)
	if err == nil {
		err = r.config.Handle(ctx, d.RoutingKey, event)
	}
	process.End(err)
}
