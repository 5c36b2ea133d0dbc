package amqptest

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Broker is a broker. The zero value is ready.
type Broker struct {
	mu        sync.Mutex
	exchanges map[string]*exchange
	queues    map[string]*queue
	sessions  map[*session]bool
	names     int // of queues that the broker has named
	nacks     int
	failures  int // of the next declarations of queues
	failure   amqp.Error
	silent    bool
	listeners []net.Listener
	closed    bool
	running   sync.WaitGroup
}

// Dial connects a client by a pipe.
func (b *Broker) Dial(config amqp.Config) (*amqp.Connection, error) {
	client, server := net.Pipe()
	if !b.serve(server) {
		return nil, errors.Join(errors.New("amqptest: the broker is closed"), client.Close())
	}
	if config.SASL == nil {
		config.SASL = []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}}
	}
	if config.Vhost == "" {
		config.Vhost = "/"
	}
	connection, err := amqp.Open(client, config)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return connection, nil
}

// Listen serves clients on a free port of 127.0.0.1 and returns host:port.
func (b *Broker) Listen() (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	b.Serve(listener)
	return listener.Addr().String(), nil
}

// Serve serves the clients of a listener, in goroutines of its own, and closes it
// with the broker.
func (b *Broker) Serve(listener net.Listener) {
	b.mu.Lock()
	b.listeners = append(b.listeners, listener)
	b.mu.Unlock()
	b.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.serve(conn)
		}
	})
}

// serve serves one client; it reports false when the broker is closed.
func (b *Broker) serve(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = conn.Close()
		return false
	}
	if b.exchanges == nil {
		b.exchanges, b.queues, b.sessions = map[string]*exchange{}, map[string]*queue{}, map[*session]bool{}
	}
	s := newSession(b, conn)
	b.sessions[s] = true
	b.running.Go(s.read)
	b.running.Go(s.write)
	return true
}

// NackNext refuses the next n messages of channels with confirms.
func (b *Broker) NackNext(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nacks = n
}

// FailNextQueues lets the next n declarations of queues close their channel with
// a code and a reason. A broker that makes several queues at once answers so: 541
// while it elects the leader of one, and 404 while it has the name of one and not
// its process.
func (b *Broker) FailNextQueues(n int, code uint16, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.failure = n, amqp.Error{Code: int(code), Reason: reason}
}

// Silence keeps confirms back from now on, for good.
func (b *Broker) Silence() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = true
}

// Cut ends all connections without a word, as a broker that is killed does. What
// was not acknowledged is delivered again.
func (b *Broker) Cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.sessions {
		_ = s.conn.Close()
	}
}

// Depth returns how many messages of a queue no consumer has, and how many wait
// for their acknowledgement.
func (b *Broker) Depth(queueName string) (ready, unacked int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[queueName]; q != nil {
		ready = len(q.messages)
	}
	for s := range b.sessions {
		for _, ch := range s.channels {
			for _, d := range ch.unacked {
				if d.queue.name == queueName {
					unacked++
				}
			}
		}
	}
	return ready, unacked
}

// QueueType returns the kind that a queue was declared with, quorum or classic, or
// nothing when there is no such queue. All work alike here.
func (b *Broker) QueueType(queueName string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[queueName]; q != nil {
		return q.kind
	}
	return ""
}

// Queues lists the queues by name.
func (b *Broker) Queues() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.queues))
}

// Close ends the broker and waits for its goroutines.
func (b *Broker) Close() {
	b.mu.Lock()
	b.closed = true
	for _, l := range b.listeners {
		_ = l.Close()
	}
	b.mu.Unlock()
	b.Cut()
	b.running.Wait()
}
