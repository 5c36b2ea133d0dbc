package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

// session is what lasts as long as the broker does: two connections, so that a broker that takes no more messages still takes acknowledgements.
// When any part of it ends, all of it does.
type session struct {
	conns   []*amqp.Connection
	out, in *otelamqp.Channel
	ended   []chan *amqp.Error // one for each channel

	replies    *otelamqp.Channel // nil: it has no topics of its own
	replyQueue string
}

// connect makes a session and declares what is missing.
func (r *Broker) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(r.life, cancel)()
	s := &session{}
	out, err := r.open(ctx, s, r.config.Service)
	if err == nil {
		s.out = out
		err = errors.Join(out.Confirm(false), r.declare(out.Channel))
	}
	if err == nil {
		s.in, err = r.open(ctx, s, r.config.Service+" consumer")
	}
	if err == nil {
		err = s.in.Qos(r.prefetch(), 0, false)
	}
	if err == nil {
		err = r.openReplies(s, s.conns[1])
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// prefetch is how many messages wait here: as many again as are worked on and, where messages are handled again after a failure, those that
// wait for that. Of several instances of a service, one may then have all that others have room for.
func (r *Broker) prefetch() int {
	if r.config.Bounded && len(r.config.Retried) == 0 { // what waits is to be seen
		return r.config.Workers
	}
	n := 2 * r.config.Workers
	if len(r.config.Retried) > 0 {
		n += carrier.Parked(r.config.Workers)
	}
	if r.config.Batch != nil { // those that wait for company
		n += carrier.MaxInBatches
	}
	return n
}

// open dials one connection of a session, with a channel.
func (r *Broker) open(ctx context.Context, s *session, name string) (*otelamqp.Channel, error) {
	conn, err := dialAny(ctx, r.dial, r.config.Addresses, name)
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, conn)
	return r.channel(s, conn)
}

// dial connects to the broker, and says when headers are left out.
func (r *Broker) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.config.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newReadable(conn, func() {
		r.unread.Do(func() {
			r.log.Warn("headers of a message are left out: they are nested too deep, too many, or of a type that the client cannot read", "address", address)
		})
	}), nil
}

// channel opens a channel of a session.
func (r *Broker) channel(s *session, conn *amqp.Connection) (*otelamqp.Channel, error) {
	ch, err := r.in.Channel(conn)
	if err != nil {
		return nil, err
	}
	s.ended = append(s.ended, ch.NotifyClose(make(chan *amqp.Error, 1)))
	return ch, nil
}

// dialAny connects to the first address that answers.
func dialAny(ctx context.Context, dial carrier.Dial, addresses []string, name string) (*amqp.Connection, error) {
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	errs := []error{errors.New("no address")}
	for _, address := range addresses {
		conn, err := amqp.DialConfig("amqp://guest:guest@"+address+"/", amqp.Config{Heartbeat: heartbeat, Properties: properties,
			Dial: func(network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				if deadline, ok := ctx.Deadline(); ok { // of the handshake, after which the client lifts it
					err = conn.SetDeadline(deadline)
				}
				if _, ok := conn.(*readable); !ok {
					conn = newReadable(conn, func() {})
				}
				return conn, err
			}})
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		errs[0] = fmt.Errorf("%s: %w", address, err)
	}
	return nil, errs[0]
}

// wait waits until a part of the session has ended, or the context has, and says why.
func (s *session) wait(ctx context.Context) error {
	var replies chan *amqp.Error
	if s.replies != nil {
		replies = s.ended[2]
	}
	select {
	case err := <-replies:
		return orClosed(err)
	case err := <-s.ended[0]:
		return orClosed(err)
	case err := <-s.ended[1]:
		return orClosed(err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func orClosed(err *amqp.Error) error {
	if err == nil { // closed from here
		return amqp.ErrClosed
	}
	return err
}

// close ends what is open of the session.
func (s *session) close() {
	for _, conn := range s.conns {
		_ = conn.CloseDeadline(time.Now().Add(closeTimeout)) // it may have ended already, and nothing waits for it
	}
}

// keep keeps a session, beginning with the first, until the broker is closed: when one ends, there is another as soon as it can be had.
func (r *Broker) keep(s *session) {
	for s != nil {
		err := r.consume(s)
		if err == nil {
			err = r.read(s)
		}
		if err == nil {
			r.set(s)
			err = s.wait(r.life)
		}
		r.set(nil)
		s.close()
		if r.life.Err() == nil {
			r.log.Warn("rabbitmq session ended; connecting again", "error", err)
		}
		s = r.reconnect()
	}
}

// reconnect tries until there is a session; nil when the broker is closed.
func (r *Broker) reconnect() *session {
	for r.life.Err() == nil {
		s, err := r.connect(r.life)
		if err == nil {
			return s
		}
		r.trouble.Do(func() { r.log.Warn("rabbitmq does not answer; trying again", "error", err) })
		r.pause()
	}
	return nil
}

// pause waits a little before another attempt.
func (r *Broker) pause() {
	timer := time.NewTimer(retryPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.life.Done():
	}
}

// set says which session there is.
func (r *Broker) set(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = s
	r.ready.Store(s != nil)
	close(r.changed)
	r.changed = make(chan struct{})
}

// current waits until there is a session.
func (r *Broker) current(ctx context.Context) (*session, error) {
	for {
		r.mu.Lock()
		s, changed := r.session, r.changed
		r.mu.Unlock()
		if s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
