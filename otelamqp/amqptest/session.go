package amqptest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
)

// session is one connection.
type session struct {
	b        *Broker
	conn     net.Conn
	channels map[uint16]*channel // guarded by b.mu

	out     chan struct{} // something waits to be written, or the session has ended
	mu      sync.Mutex    // guards waiting and ended
	waiting []byte
	ended   bool
}

func newSession(b *Broker, conn net.Conn) *session {
	return &session{b: b, conn: conn, channels: map[uint16]*channel{}, out: make(chan struct{}, 1)}
}

// send writes a method, with content if there is one. It never blocks.
func (s *session) send(channelID uint16, m *message, with *content) {
	out := frame{frameMethod, channelID, m.b}.bytes()
	if with != nil {
		head := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, uint64(len(with.body)))
		out = append(out, frame{frameHeader, channelID, append(head, with.properties...)}.bytes()...)
		for body := with.body; len(body) > 0; {
			n := min(len(body), frameMax-8)
			out = append(out, frame{frameBody, channelID, body[:n]}.bytes()...)
			body = body[n:]
		}
	}
	s.queue(out)
}

// queue leaves bytes to be written.
func (s *session) queue(out []byte) {
	s.mu.Lock()
	s.waiting = append(s.waiting, out...)
	s.mu.Unlock()
	s.wake()
}

func (s *session) wake() {
	select {
	case s.out <- struct{}{}:
	default:
	}
}

// write writes what waits until the session ends.
func (s *session) write() {
	for range s.out {
		s.mu.Lock()
		waiting, ended := s.waiting, s.ended
		s.waiting = nil
		s.mu.Unlock()
		if _, err := s.conn.Write(waiting); err != nil || ended {
			_ = s.conn.Close()
			return
		}
	}
}

// read does what the client asks until the connection ends.
func (s *session) read() {
	defer s.end()
	r := bufio.NewReader(s.conn)
	var hello [8]byte
	if _, err := io.ReadFull(r, hello[:]); err != nil || string(hello[:4]) != "AMQP" {
		return
	}
	s.send(0, newMessage(connectionStart).octet(0).octet(9).longText("").longText("PLAIN").longText("en_US"), nil)
	for {
		f, err := readFrame(r)
		if err != nil || !s.frame(f) {
			return
		}
	}
}

// end gives back what the client has not acknowledged.
func (s *session) end() {
	s.b.mu.Lock()
	delete(s.b.sessions, s)
	for _, ch := range s.channels {
		s.closeChannel(ch)
	}
	maps.DeleteFunc(s.b.queues, func(_ string, q *queue) bool { return q.owner == s })
	s.b.mu.Unlock()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.wake()
}

func (s *session) closeChannel(ch *channel) {
	delete(s.channels, ch.id)
	for _, q := range s.b.queues {
		q.remove(func(c *consumer) bool { return c.channel == ch })
	}
	s.b.requeue(ch.settle(0, true))
}

// frame does one frame and reports whether the session goes on.
func (s *session) frame(f frame) bool {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	switch f.kind {
	case frameMethod:
		a := &arguments{rest: f.payload}
		m := method(a.long())
		if f.channel == 0 {
			return s.connectionMethod(m)
		}
		return s.channelMethod(f.channel, m, a) && !a.bad
	case frameHeader, frameBody:
		ch := s.channels[f.channel]
		return ch == nil || s.contentFrame(ch, f)
	case frameHeartbeat:
		s.queue(frame{frameHeartbeat, 0, nil}.bytes())
		return true
	default:
		return false
	}
}

func (s *session) connectionMethod(m method) bool {
	switch m {
	case connectionStartOK:
		s.send(0, newMessage(connectionTune).short(2047).long(frameMax).short(0), nil)
	case connectionTuneOK:
	case connectionOpen:
		s.send(0, newMessage(connectionOpenOK).text(""), nil)
	case connectionClose:
		s.send(0, newMessage(connectionCloseOK), nil)
	default:
		return m == connectionCloseOK
	}
	return true
}

// fail closes a channel with an error.
func (s *session) fail(ch *channel, code uint16, m method, format string, a ...any) {
	s.send(ch.id, newMessage(channelClose).short(code).text(fmt.Sprintf(format, a...)).long(uint32(m)), nil)
	s.closeChannel(ch)
}

// contentFrame takes a header or a body; a message that is whole is published.
func (s *session) contentFrame(ch *channel, f frame) bool {
	p := ch.publishing
	if p == nil || len(f.payload) < 14 && f.kind == frameHeader {
		return false
	}
	if f.kind == frameHeader {
		p.header, p.size = true, binary.BigEndian.Uint64(f.payload[4:])
		p.properties = f.payload[12:]
	} else {
		p.body = append(p.body, f.payload...)
	}
	if p.size > bodyMax || uint64(len(p.body)) > p.size {
		return false
	}
	if p.header && uint64(len(p.body)) == p.size {
		ch.publishing = nil
		s.publish(ch, p)
	}
	return true
}

// publish routes a message, returns it where it must, and confirms it.
func (s *session) publish(ch *channel, p *publishing) {
	queues, known := s.b.route(p.exchange, p.key)
	if !known {
		s.fail(ch, 404, basicPublish, "NOT_FOUND - no exchange '%s' in vhost '/'", p.exchange)
		return
	}
	ch.published++
	if ch.confirms && s.b.nacks > 0 {
		s.b.nacks--
		s.send(ch.id, newMessage(basicNack).number(ch.published).octet(0), nil)
		return
	}
	if len(queues) == 0 && p.mandatory {
		s.send(ch.id, newMessage(basicReturn).short(312).text("NO_ROUTE").text(p.exchange).text(p.key), &p.content)
	}
	for _, q := range queues {
		one := p.content
		s.b.put(q, &one)
	}
	if ch.confirms && !s.b.silent {
		s.send(ch.id, newMessage(basicAck).number(ch.published).octet(0), nil)
	}
}
