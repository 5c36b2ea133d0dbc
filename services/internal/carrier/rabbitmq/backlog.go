package rabbitmq

import (
	"context"
	"fmt"
)

// Backlog is how many messages wait in the queue of a service, of all topics that it consumes: a queue takes them all. What the service has been
// given and not begun is not among them.
func (r *Broker) Backlog(ctx context.Context, _, service string, _ int) (int, error) {
	s, err := r.current(ctx)
	if err != nil {
		return 0, err
	}
	ch, err := s.conns[0].Channel() // of its own: one that asks for a queue that is not there ends
	if err != nil {
		return 0, fmt.Errorf("ask for queue %s: %w", r.names.queue(service), err)
	}
	defer func() { _ = ch.Close() }() // it may have ended
	queue, err := ch.QueueDeclarePassive(r.names.queue(service), true, false, false, false, nil)
	if err != nil {
		return 0, fmt.Errorf("ask for queue %s: %w", r.names.queue(service), err)
	}
	return queue.Messages, nil
}
