package amqptest

import (
	"cmp"
	"fmt"
	"slices"
)

// channelMethod does a method of a channel and reports whether the session goes on.
func (s *session) channelMethod(id uint16, m method, a *arguments) bool {
	if m == channelOpen {
		s.channels[id] = &channel{id: id}
		s.send(id, newMessage(channelOpenOK).longText(""), nil)
		return true
	}
	ch := s.channels[id]
	if ch == nil { // closed by an error; the client may not know yet
		return true
	}
	switch m {
	case channelClose:
		s.closeChannel(ch)
		s.send(id, newMessage(channelCloseOK), nil)
	case confirmSelect:
		ch.confirms = true
		s.send(id, newMessage(confirmSelectOK), nil)
	case exchangeDeclare, exchangeDelete, queueDeclare, queueBind, queueDelete:
		return s.topologyMethod(ch, m, a)
	default:
		return s.basicMethod(ch, m, a)
	}
	return true
}

// topologyMethod changes exchanges and queues.
func (s *session) topologyMethod(ch *channel, m method, a *arguments) bool {
	b := s.b
	a.short()
	name := a.shortString()
	switch m {
	case exchangeDeclare:
		kind, passive := a.shortString(), a.octet()&1 != 0
		switch e := b.exchanges[name]; {
		case e == nil && passive:
			s.fail(ch, 404, m, "NOT_FOUND - no exchange '%s' in vhost '/'", name)
			return true
		case e == nil:
			b.exchanges[name] = &exchange{kind: kind}
		case !passive && e.kind != kind:
			s.fail(ch, 406, m, "PRECONDITION_FAILED - exchange '%s' is of type %s", name, e.kind)
			return true
		}
		s.send(ch.id, newMessage(exchangeDeclareOK), nil)
	case exchangeDelete:
		delete(b.exchanges, name)
		s.send(ch.id, newMessage(exchangeDeleteOK), nil)
	case queueDeclare:
		s.declareQueue(ch, name, a)
	case queueBind:
		exchangeName, key := a.shortString(), a.shortString()
		e := b.exchanges[exchangeName]
		if e == nil || b.queues[name] == nil {
			s.fail(ch, 404, m, "NOT_FOUND - no exchange '%s' or queue '%s' in vhost '/'", exchangeName, name)
			return true
		}
		if bind := (binding{key, name}); !slices.Contains(e.bindings, bind) {
			e.bindings = append(e.bindings, bind)
		}
		s.send(ch.id, newMessage(queueBindOK), nil)
	default: // queueDelete: the caller passes no other method on
		n := 0
		if q := b.queues[name]; q != nil {
			n = len(q.messages)
			for _, c := range q.consumers { // it is told, and need not agree
				c.s.send(c.channel.id, newMessage(basicCancel).text(c.tag).bit(true), nil)
			}
			delete(b.queues, name)
		}
		s.send(ch.id, newMessage(queueDeleteOK).long(uint32(n)), nil)
	}
	return true
}

func (s *session) declareQueue(ch *channel, name string, a *arguments) {
	bits := a.octet()
	passive, exclusive := bits&1 != 0, bits&4 != 0
	table := a.table()
	q := s.b.queues[name]
	if s.b.failures > 0 {
		s.b.failures--
		s.fail(ch, uint16(s.b.failure.Code), queueDeclare, "%s", s.b.failure.Reason)
		return
	}
	if q == nil && passive {
		s.fail(ch, 404, queueDeclare, "NOT_FOUND - no queue '%s' in vhost '/'", name)
		return
	}
	if q != nil && q.owner != nil && q.owner != s {
		s.fail(ch, 405, queueDeclare, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '%s' in vhost '/'", name)
		return
	}
	if q == nil {
		if name == "" {
			s.b.names++
			name = fmt.Sprintf("amq.gen-%d", s.b.names)
		}
		q = &queue{name: name, kind: cmp.Or(table["x-queue-type"], "classic"), deadKey: table["x-dead-letter-routing-key"]}
		q.deadLetters, q.hasDead = table["x-dead-letter-exchange"]
		if exclusive {
			q.owner = s
		}
		s.b.queues[name] = q
	}
	s.send(ch.id, newMessage(queueDeclareOK).text(name).long(uint32(len(q.messages))).long(uint32(len(q.consumers))), nil)
}

// basicMethod moves messages.
func (s *session) basicMethod(ch *channel, m method, a *arguments) bool {
	switch m {
	case basicQos:
		a.long()
		ch.prefetch = int(a.short())
		s.send(ch.id, newMessage(basicQosOK), nil)
	case basicConsume:
		s.consume(ch, a)
	case basicCancel:
		tag := a.shortString()
		for _, q := range s.b.queues {
			q.remove(func(c *consumer) bool { return c.channel == ch && c.tag == tag })
		}
		s.send(ch.id, newMessage(basicCancelOK).text(tag), nil)
	case basicPublish:
		a.short()
		p := &publishing{content: content{exchange: a.shortString(), key: a.shortString()}}
		p.mandatory = a.octet()&1 != 0
		ch.publishing = p
	case basicGet:
		s.get(ch, a)
	case basicAck, basicReject, basicNack:
		s.settle(ch, m, a)
	default:
		return false
	}
	return true
}

func (s *session) consume(ch *channel, a *arguments) {
	a.short()
	name, tag := a.shortString(), a.shortString()
	q := s.b.queues[name]
	if q == nil {
		s.fail(ch, 404, basicConsume, "NOT_FOUND - no queue '%s' in vhost '/'", name)
		return
	}
	q.consumers = append(q.consumers, &consumer{s: s, channel: ch, tag: tag, queue: q, noAck: a.octet()&2 != 0})
	s.send(ch.id, newMessage(basicConsumeOK).text(tag), nil)
	s.b.deliver(q)
}

func (s *session) get(ch *channel, a *arguments) {
	a.short()
	name := a.shortString()
	q := s.b.queues[name]
	switch {
	case q == nil:
		s.fail(ch, 404, basicGet, "NOT_FOUND - no queue '%s' in vhost '/'", name)
	case len(q.messages) == 0:
		s.send(ch.id, newMessage(basicGetEmpty).text(""), nil)
	default:
		c := q.messages[0]
		q.messages = q.messages[1:]
		tag := ch.handOver(q, c, a.octet()&1 != 0)
		s.send(ch.id, newMessage(basicGetOK).number(tag).bit(c.redelivered).text(c.exchange).text(c.key).long(uint32(len(q.messages))), c)
	}
}

// settle acknowledges deliveries. One that is not there closes the channel, as
// RabbitMQ does.
func (s *session) settle(ch *channel, m method, a *arguments) {
	tag, bits := a.longLong(), a.octet()
	multiple, requeue := bits&1 != 0, bits&2 != 0
	if m == basicReject {
		multiple, requeue = false, bits&1 != 0
	}
	out := ch.settle(tag, multiple)
	if len(out) == 0 && tag != 0 {
		s.fail(ch, 406, m, "PRECONDITION_FAILED - unknown delivery tag %d", tag)
		return
	}
	switch {
	case m == basicAck:
	case requeue:
		s.b.requeue(out)
	default:
		s.b.drop(out)
	}
	for _, d := range out {
		s.b.deliver(d.queue)
	}
	for _, q := range s.b.queues { // the channel has room again, for any of its queues
		s.b.deliver(q)
	}
}
