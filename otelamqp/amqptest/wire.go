package amqptest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The frames of AMQP 0-9-1.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
	frameEnd       = 0xCE
	frameMax       = 131072
	bodyMax        = 16 << 20
)

type frame struct {
	kind    byte
	channel uint16
	payload []byte
}

func readFrame(r *bufio.Reader) (frame, error) {
	var head [7]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	size := binary.BigEndian.Uint32(head[3:])
	if size > frameMax {
		return frame{}, fmt.Errorf("a frame of %d bytes", size)
	}
	payload := make([]byte, size+1)
	if _, err := io.ReadFull(r, payload); err != nil {
		return frame{}, err
	}
	if payload[size] != frameEnd {
		return frame{}, errors.New("a frame without its end")
	}
	return frame{head[0], binary.BigEndian.Uint16(head[1:]), payload[:size]}, nil
}

func (f frame) bytes() []byte {
	b := make([]byte, 0, 8+len(f.payload))
	b = append(b, f.kind)
	b = binary.BigEndian.AppendUint16(b, f.channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload)))
	return append(append(b, f.payload...), frameEnd)
}

// method is a class and a method of it, as 60<<16 | 40 for basic.publish.
type method uint32

const (
	connectionStart   method = 10<<16 | 10
	connectionStartOK method = 10<<16 | 11
	connectionTune    method = 10<<16 | 30
	connectionTuneOK  method = 10<<16 | 31
	connectionOpen    method = 10<<16 | 40
	connectionOpenOK  method = 10<<16 | 41
	connectionClose   method = 10<<16 | 50
	connectionCloseOK method = 10<<16 | 51
	channelOpen       method = 20<<16 | 10
	channelOpenOK     method = 20<<16 | 11
	channelClose      method = 20<<16 | 40
	channelCloseOK    method = 20<<16 | 41
	exchangeDeclare   method = 40<<16 | 10
	exchangeDeclareOK method = 40<<16 | 11
	exchangeDelete    method = 40<<16 | 20
	exchangeDeleteOK  method = 40<<16 | 21
	queueDeclare      method = 50<<16 | 10
	queueDeclareOK    method = 50<<16 | 11
	queueBind         method = 50<<16 | 20
	queueBindOK       method = 50<<16 | 21
	queueDelete       method = 50<<16 | 40
	queueDeleteOK     method = 50<<16 | 41
	basicQos          method = 60<<16 | 10
	basicQosOK        method = 60<<16 | 11
	basicConsume      method = 60<<16 | 20
	basicConsumeOK    method = 60<<16 | 21
	basicCancel       method = 60<<16 | 30
	basicCancelOK     method = 60<<16 | 31
	basicPublish      method = 60<<16 | 40
	basicReturn       method = 60<<16 | 50
	basicDeliver      method = 60<<16 | 60
	basicGet          method = 60<<16 | 70
	basicGetOK        method = 60<<16 | 71
	basicGetEmpty     method = 60<<16 | 72
	basicAck          method = 60<<16 | 80
	basicReject       method = 60<<16 | 90
	basicNack         method = 60<<16 | 120
	confirmSelect     method = 85<<16 | 10
	confirmSelectOK   method = 85<<16 | 11
)

// arguments are read one after another; what is not there is zero, and sets bad.
type arguments struct {
	rest []byte
	bad  bool
}

func (a *arguments) take(n int) []byte {
	if n < 0 || n > len(a.rest) {
		a.bad, a.rest = true, nil
		return make([]byte, max(0, min(n, 8)))
	}
	taken := a.rest[:n]
	a.rest = a.rest[n:]
	return taken
}

func (a *arguments) octet() byte      { return a.take(1)[0] }
func (a *arguments) short() uint16    { return binary.BigEndian.Uint16(a.take(2)) }
func (a *arguments) long() uint32     { return binary.BigEndian.Uint32(a.take(4)) }
func (a *arguments) longLong() uint64 { return binary.BigEndian.Uint64(a.take(8)) }

func (a *arguments) shortString() string { return a.bytes(int(a.octet())) }
func (a *arguments) longString() string  { return a.bytes(int(a.long())) }

func (a *arguments) bytes(n int) string {
	b := a.take(n)
	if a.bad {
		return ""
	}
	return string(b)
}

// table returns the strings of a table, up to the first value that is of a type
// which it does not know.
func (a *arguments) table() map[string]string {
	inner := arguments{rest: []byte(a.longString())}
	texts := map[string]string{}
	for len(inner.rest) > 0 && !inner.bad {
		name := inner.shortString()
		switch inner.octet() {
		case 'S':
			texts[name] = inner.longString()
		case 't', 'b', 'B':
			inner.take(1)
		case 's', 'u':
			inner.take(2)
		case 'I', 'i', 'f':
			inner.take(4)
		case 'l', 'L', 'd', 'T':
			inner.take(8)
		case 'F', 'A', 'x':
			_ = inner.longString()
		case 'V':
		default:
			return texts
		}
	}
	return texts
}

// message builds the payload of a method.
type message struct{ b []byte }

func newMessage(m method) *message {
	return &message{binary.BigEndian.AppendUint32(nil, uint32(m))}
}

func (m *message) octet(v byte) *message    { m.b = append(m.b, v); return m }
func (m *message) short(v uint16) *message  { m.b = binary.BigEndian.AppendUint16(m.b, v); return m }
func (m *message) long(v uint32) *message   { m.b = binary.BigEndian.AppendUint32(m.b, v); return m }
func (m *message) number(v uint64) *message { m.b = binary.BigEndian.AppendUint64(m.b, v); return m }

func (m *message) text(v string) *message {
	v = v[:min(len(v), 255)]
	m.b = append(append(m.b, byte(len(v))), v...)
	return m
}

func (m *message) longText(v string) *message {
	m.b = append(binary.BigEndian.AppendUint32(m.b, uint32(len(v))), v...)
	return m
}

func (m *message) bit(v bool) *message {
	if v {
		return m.octet(1)
	}
	return m.octet(0)
}
