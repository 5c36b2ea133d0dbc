package lint

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// messageValueRules are about the values of single messages and about batches.
func messageValueRules() []Rule {
	return []Rule{
		{ID: "M08", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(batchCount),
			Finds: "A batch has no messaging.batch.message_count, or the send or process span of a single message has one.",
			Fix:   "set messaging.batch.message_count for operations on batches, and only for them"},
		{ID: "M11", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(partitionID),
			Finds: "messaging.destination.partition.id is missing on a single Kafka message, or is not a string.",
			Fix:   "set messaging.destination.partition.id, as a string"},
		{ID: "M12", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(offset),
			Finds: "messaging.kafka.offset is missing on a single Kafka message.",
			Fix:   "set messaging.kafka.offset, on a send span when the broker has acknowledged the record"},
		{ID: "M13", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(messageKey),
			Finds: "messaging.kafka.message.key is missing on a single Kafka message that another span shows to have one; a record without a key has none.",
			Fix:   "set messaging.kafka.message.key where the key is text"},
		{ID: "M14", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(tombstone),
			Finds: "messaging.kafka.message.tombstone is not a boolean, or contradicts the message's size or the other span of the message.",
			Fix:   "set messaging.kafka.message.tombstone to true for a record with a key and a null value, and for no other"},
		{ID: "M20", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(perMessageValues),
			Finds: "Values of one message stand on the span of a batch.",
			Fix:   "set values of single messages on the link to each message's creation context"},
	}
}

func batchCount(c *Pass, i journey.Index, m *message) {
	linked := c.messagesLinked(i, m)
	switch {
	case !m.hasCount && linked > 1:
		c.found(i, "%s has links to %d messages and no messaging.batch.message_count", c.at(i), linked)
	case m.hasCount && c.loneMessage(i, m):
		c.found(i, "%s is about a single message and has a messaging.batch.message_count", c.at(i))
	}
}

// loneMessage reports whether a send or process span is that of a single message, whatever count it has. A batch that
// happens to have one message looks different: its values stand on its link, it links to a create span, and it has a
// trace of its own.
func (v *view) loneMessage(i journey.Index, m *message) bool {
	if m.count > 1 {
		return false
	}
	switch m.op {
	case semconv.OperationSend:
		return len(m.perMessage) > 0 || v.set.Span(i).Kind == journey.KindProducer && len(v.targets(i)) == 0
	case semconv.OperationProcess:
		return len(m.perMessage) > 0 || m.origins.parent == creation
	default:
		return false
	}
}

// single reports whether span i is about one Kafka message by itself: sent, processed, or received. A receive span is
// that of a poll unless it has a value of a single message.
func (v *view) single(i journey.Index, m *message) bool {
	if !m.kafka && m.system != "kafka" || m.hasCount && !v.loneMessage(i, m) || v.messagesLinked(i, m) > 1 {
		return false
	}
	return m.op == semconv.OperationSend || m.op == semconv.OperationProcess || m.op == semconv.OperationReceive && len(m.perMessage) > 0
}

// sent reports whether the broker can have returned partition and offset.
func (v *view) sent(i journey.Index, m *message) bool {
	return m.op != semconv.OperationSend || !m.failed(v.set.Span(i))
}

func partitionID(c *Pass, i journey.Index, m *message) {
	switch {
	case !missing(m.partition) && m.partition.Kind() != journey.ValueString:
		c.found(i, "%s has a messaging.destination.partition.id that is not a string", c.at(i))
	case missing(m.partition) && c.single(i, m) && c.sent(i, m):
		c.found(i, "%s has no messaging.destination.partition.id", c.at(i))
	}
}

func offset(c *Pass, i journey.Index, m *message) {
	if missing(m.offset) && c.single(i, m) && c.sent(i, m) {
		c.found(i, "%s has no messaging.kafka.offset", c.at(i))
	}
}

// messageKey compares the spans of one message: it reports the one without the key.
func messageKey(c *Pass, i journey.Index, m *message) {
	j := c.otherSpan(i, m)
	if j == none {
		return
	}
	switch other := c.messages[j]; {
	case missing(m.key) && !missing(other.key):
		c.found(i, "%s has no messaging.kafka.message.key, though its message has one", c.at(i))
	case !missing(m.key) && missing(other.key):
		c.found(j, "%s has no messaging.kafka.message.key, though its message has one", c.at(j))
	}
}

// otherSpan returns the span that made the single message which span i consumes, or sends with a creation context, and
// none where there is no such span or it stands for other messages too.
func (c *Pass) otherSpan(i journey.Index, m *message) journey.Index {
	if !c.single(i, m) || !m.consumes() && c.set.Span(i).Kind != journey.KindClient {
		return none
	}
	made := func(t journey.Index) bool {
		return t != none && c.messages[t] != nil && c.creation[t] && !c.batch(t, c.messages[t]) && c.messages[t].destination == m.destination
	}
	for _, t := range c.targets(i) {
		if made(t) {
			return t
		}
	}
	if p := c.parent(i); m.consumes() && made(p) {
		return p
	}
	return none
}

func tombstone(c *Pass, i journey.Index, m *message) {
	if !missing(m.tombstone) && m.tombstone.Kind() != journey.ValueBool {
		c.found(i, "%s has a messaging.kafka.message.tombstone that is not a boolean", c.at(i))
		return
	}
	if isTombstone(m) && m.bodySize > 0 {
		c.found(i, "%s is marked as a tombstone and has a body of %d bytes", c.at(i), m.bodySize)
		return
	}
	j := c.otherSpan(i, m)
	if j == none {
		return
	}
	switch other := c.messages[j]; {
	case isTombstone(m) && !isTombstone(other):
		c.found(j, "%s is not marked as a tombstone, as another span of its message is", c.at(j))
	case !isTombstone(m) && isTombstone(other):
		c.found(i, "%s is not marked as a tombstone, as another span of its message is", c.at(i))
	}
}

func isTombstone(m *message) bool { return m.tombstone.String() == "true" }

func perMessageValues(c *Pass, i journey.Index, m *message) {
	if m.op != semconv.OperationSettle && len(m.perMessage) > 0 && c.batch(i, m) {
		c.found(i, "%s is a batch and has %s", c.at(i), strings.Join(m.perMessage, ", "))
	}
}
