package amqptest

import "slices"

// channel is one channel of a session.
type channel struct {
	id        uint16
	prefetch  int // 0: no limit
	confirms  bool
	published uint64
	tag       uint64 // of the last delivery
	unacked   []delivered
	// publishing is the message whose header and body are expected.
	publishing *publishing
}

// delivered is a message that waits for its acknowledgement.
type delivered struct {
	tag     uint64
	queue   *queue
	content *content
}

type publishing struct {
	content
	mandatory bool
	header    bool // has come
	size      uint64
}

// handOver numbers a delivery.
func (ch *channel) handOver(q *queue, m *content, noAck bool) uint64 {
	ch.tag++
	if !noAck {
		ch.unacked = append(ch.unacked, delivered{ch.tag, q, m})
	}
	return ch.tag
}

// settle takes out the deliveries that an acknowledgement is for.
func (ch *channel) settle(tag uint64, multiple bool) (out []delivered) {
	ch.unacked = slices.DeleteFunc(ch.unacked, func(d delivered) bool {
		is := d.tag == tag || multiple && (tag == 0 || d.tag < tag)
		if is {
			out = append(out, d)
		}
		return is
	})
	return out
}
