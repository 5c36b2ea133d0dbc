package otelamqp

import (
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Channel is an AMQP channel with its instrumentation: what is published,
// delivered, got and acknowledged through it has spans and metrics. All other
// methods are those of amqp091-go. Instrumentation.Channel and
// Instrumentation.Wrap return one; it ends with the channel inside.
type Channel struct {
	*amqp.Channel
	server *server

	mu sync.Mutex // guards mandatory and unsettled
	// mandatory are the messages that may be returned, in the order of their sending.
	mandatory []*sending
	// unsettled are the deliveries that nobody has acknowledged, by delivery tag.
	unsettled map[uint64]*unsettled

	// failed is why the server closed the channel.
	failed atomic.Pointer[amqp.Error]
	// asked is answered when all that the server said before has been noted.
	asked chan chan struct{}
	// done is closed when the channel is closed for good.
	done chan struct{}
}

func newChannel(s *server, ch *amqp.Channel) *Channel {
	c := &Channel{Channel: ch, server: s, unsettled: map[uint64]*unsettled{}, asked: make(chan chan struct{}), done: make(chan struct{})}
	// The client sends to both one after another: what is received is in order.
	w := watch{c: c, returns: ch.NotifyReturn(make(chan amqp.Return)), closes: ch.NotifyClose(make(chan *amqp.Error, 1))}
	go w.run()
	return c
}

// usable reports whether c is a Channel that was made here, and open or closed.
func (c *Channel) usable() bool { return c != nil && c.Channel != nil && c.server != nil }

// watch notes what the server says on its own.
type watch struct {
	c       *Channel
	returns chan amqp.Return
	closes  chan *amqp.Error
}

// run ends when the channel is closed for good.
func (w *watch) run() {
	defer w.end()
	for w.returns != nil || w.closes != nil {
		select {
		case r, open := <-w.returns:
			w.returned(r, open)
		case err, open := <-w.closes:
			w.closed(err, open)
		case answer := <-w.c.asked:
			w.catchUp()
			close(answer)
		}
	}
}

// catchUp notes what waits to be noted.
func (w *watch) catchUp() {
	for {
		select {
		case r, open := <-w.returns:
			w.returned(r, open)
		case err, open := <-w.closes:
			w.closed(err, open)
		default:
			return
		}
	}
}

func (w *watch) returned(r amqp.Return, open bool) {
	if !open {
		w.returns = nil
		return
	}
	w.c.noteReturn(&r)
}

func (w *watch) closed(err *amqp.Error, open bool) {
	if !open {
		w.closes = nil
		return
	}
	w.c.failed.Store(err)
}

func (w *watch) end() {
	close(w.c.done)
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	w.c.unsettled = nil // they belong to no channel now: the server delivers them again
}

// catchUp waits until all that the server said before has been noted.
func (c *Channel) catchUp() {
	answer := make(chan struct{})
	select {
	case c.asked <- answer:
		<-answer
	case <-c.done:
	}
}
