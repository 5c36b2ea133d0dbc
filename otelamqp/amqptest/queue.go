package amqptest

import (
	"slices"
	"strings"
)

// exchange is a name with a kind; "" is the default one.
type exchange struct {
	kind     string // direct, fanout or topic
	bindings []binding
}

type binding struct{ key, queue string }

// content is a message as the broker keeps it: properties are not read.
type content struct {
	exchange, key string
	properties    []byte // of the header frame, flags first
	body          []byte
	redelivered   bool
}

type queue struct {
	name, kind  string   // kind is x-queue-type
	owner       *session // of an exclusive queue, which is gone with it
	hasDead     bool     // dropped messages go to the exchange deadLetters
	deadLetters string
	deadKey     string // instead of the message's own
	messages    []*content
	consumers   []*consumer
	next        int // the consumer whose turn it is
}

type consumer struct {
	s       *session
	channel *channel
	tag     string
	queue   *queue
	noAck   bool
}

// Broker state changes under its lock only.

// route returns the queues that a message goes to, each once.
func (b *Broker) route(exchangeName, key string) (queues []*queue, known bool) {
	if exchangeName == "" {
		if q := b.queues[key]; q != nil {
			queues = append(queues, q)
		}
		return queues, true
	}
	e := b.exchanges[exchangeName]
	if e == nil {
		return nil, false
	}
	for _, bind := range e.bindings {
		q := b.queues[bind.queue]
		if q != nil && e.takes(bind.key, key) && !slices.Contains(queues, q) {
			queues = append(queues, q)
		}
	}
	return queues, true
}

func (e *exchange) takes(pattern, key string) bool {
	switch e.kind {
	case "fanout":
		return true
	case "topic":
		return topicMatch(strings.Split(pattern, "."), strings.Split(key, "."))
	default:
		return pattern == key
	}
}

// topicMatch compares words: * is any one, # any number of them.
func topicMatch(pattern, words []string) bool {
	switch {
	case len(pattern) == 0:
		return len(words) == 0
	case pattern[0] == "#":
		return topicMatch(pattern[1:], words) || len(words) > 0 && topicMatch(pattern, words[1:])
	case len(words) == 0:
		return false
	default:
		return (pattern[0] == "*" || pattern[0] == words[0]) && topicMatch(pattern[1:], words[1:])
	}
}

// put adds a message to a queue, and delivers what can be delivered.
func (b *Broker) put(q *queue, c *content) {
	q.messages = append(q.messages, c)
	b.deliver(q)
}

// deliver hands messages to consumers in turn, as long as one has room.
func (b *Broker) deliver(q *queue) {
	for len(q.messages) > 0 {
		c := q.turn()
		if c == nil {
			return
		}
		m := q.messages[0]
		q.messages = q.messages[1:]
		tag := c.channel.handOver(c.queue, m, c.noAck)
		c.s.send(c.channel.id, newMessage(basicDeliver).text(c.tag).number(tag).bit(m.redelivered).text(m.exchange).text(m.key), m)
	}
}

// turn returns the next consumer with room.
func (q *queue) turn() *consumer {
	for i := range q.consumers {
		c := q.consumers[(q.next+i)%len(q.consumers)]
		if c.noAck || c.channel.prefetch == 0 || len(c.channel.unacked) < c.channel.prefetch {
			q.next += i + 1
			return c
		}
	}
	return nil
}

// requeue puts messages back to the front, in their old order.
func (b *Broker) requeue(out []delivered) {
	for _, d := range slices.Backward(out) {
		again := *d.content
		again.redelivered = true
		d.queue.messages = slices.Insert(d.queue.messages, 0, &again)
	}
	for _, d := range out {
		b.deliver(d.queue)
	}
}

// drop forgets messages, or sends them to their queue's dead letters.
func (b *Broker) drop(out []delivered) {
	for _, d := range out {
		if !d.queue.hasDead {
			continue
		}
		dead := *d.content
		dead.exchange, dead.redelivered = d.queue.deadLetters, false
		if d.queue.deadKey != "" {
			dead.key = d.queue.deadKey
		}
		queues, _ := b.route(dead.exchange, dead.key)
		for _, q := range queues {
			b.put(q, &dead)
		}
	}
}

// remove takes a consumer away.
func (q *queue) remove(gone func(*consumer) bool) {
	q.consumers = slices.DeleteFunc(q.consumers, gone)
}
