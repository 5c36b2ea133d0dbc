package rabbitmq

import (
	"context"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/internal/carrier"
)

// Queues asks a RabbitMQ how many messages wait in queues, over one connection, which it makes when it is first needed and anew when it has ended. Its
// methods may be called from any goroutine.
type Queues struct {
	dial      carrier.Dial
	addresses []string
	names     names
	services  []string

	mu   sync.Mutex
	conn *amqp.Connection // nil: none
}

// NewQueues returns what asks for the queues of these services, given without their prefix, and for that of the dead letters.
func NewQueues(dial carrier.Dial, addresses []string, prefix string, services []string) *Queues {
	return &Queues{dial: dial, addresses: addresses, names: names{prefix: prefix}, services: services}
}

// Waiting is how many messages wait in the queue of each service, and how many dead letters there are. What a consumer was given and has not acknowledged
// is not among them, and a queue that is not there is left out.
func (q *Queues) Waiting(ctx context.Context) (waiting map[string]int, dead int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	conn, err := q.connect(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("ask for queues: %w", err)
	}
	// The client's methods know no context: the end of the connection ends them.
	defer context.AfterFunc(ctx, func() { _ = conn.CloseDeadline(time.Now().Add(closeTimeout)) })()
	waiting = map[string]int{}
	for _, service := range q.services {
		n, there, err := messages(conn, q.names.queue(service))
		if err != nil {
			return nil, 0, err
		}
		if there {
			waiting[service] = n
		}
	}
	dead, _, err = messages(conn, q.names.deadLetters())
	return waiting, dead, err
}

// connect returns the connection. The lock is held.
func (q *Queues) connect(ctx context.Context) (*amqp.Connection, error) {
	if q.conn != nil && !q.conn.IsClosed() {
		return q.conn, nil
	}
	q.conn = nil
	conn, err := dialAny(ctx, q.dial, q.addresses, "tracelab queues")
	if err != nil {
		return nil, err
	}
	q.conn = conn
	return conn, nil
}

// messages is how many messages wait in a queue, if it is there.
func messages(conn *amqp.Connection, name string) (n int, there bool, err error) {
	ch, err := conn.Channel() // of its own: one that asks for a queue that is not there ends
	if err != nil {
		return 0, false, fmt.Errorf("ask for queue %s: %w", name, err)
	}
	defer func() { _ = ch.Close() }() // it may have ended
	queue, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
	if isMissing(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("ask for queue %s: %w", name, err)
	}
	return queue.Messages, true, nil
}

// Close ends the connection.
func (q *Queues) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.conn != nil {
		_ = q.conn.CloseDeadline(time.Now().Add(closeTimeout)) // its work is done
		q.conn = nil
	}
}
