package lint

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/internal/operation"
)

// rename is a name that the messaging conventions no longer have.
type rename struct {
	old  string
	now  string // its successor, empty when there is none
	last int    // the last minor version 1.x of the conventions that has the old name
}

// renameOf returns what became of a name. The list was made by reading the releases of the semantic conventions one after the other.
func renameOf(key string) (rename, bool) {
	r := rename{old: key}
	switch key {
	case "messaging.operation":
		r.now, r.last = "messaging.operation.name", 25
	case "messaging.destination":
		r.now, r.last = "messaging.destination.name", 16
	case "messaging.source.name":
		r.now, r.last = "messaging.destination.name", 20
	case "messaging.temp_destination":
		r.now, r.last = "messaging.destination.temporary", 16
	case "messaging.kafka.destination.partition":
		r.now, r.last = "messaging.destination.partition.id", 25
	case "messaging.kafka.source.partition":
		r.now, r.last = "messaging.destination.partition.id", 20
	case "messaging.kafka.partition":
		r.now, r.last = "messaging.destination.partition.id", 16
	case "messaging.kafka.message.offset":
		r.now, r.last = "messaging.kafka.offset", 26
	case "messaging.kafka.consumer.group":
		r.now, r.last = "messaging.consumer.group.name", 26
	case "messaging.kafka.consumer_group":
		r.now, r.last = "messaging.consumer.group.name", 16
	case "messaging.client_id":
		r.now, r.last = "messaging.client.id", 25
	case "messaging.kafka.client_id", "messaging.consumer.id":
		r.now, r.last = "messaging.client.id", 20
	case "messaging.consumer_id":
		r.now, r.last = "messaging.client.id", 16
	case "messaging.kafka.message_key":
		r.now, r.last = "messaging.kafka.message.key", 16
	case "messaging.kafka.tombstone":
		r.now, r.last = "messaging.kafka.message.tombstone", 16
	case "messaging.message_id":
		r.now, r.last = "messaging.message.id", 16
	case "messaging.conversation_id":
		r.now, r.last = "messaging.message.conversation_id", 16
	case "messaging.message_payload_size_bytes":
		r.now, r.last = "messaging.message.body.size", 16
	case "messaging.message.payload_size_bytes":
		r.now, r.last = "messaging.message.body.size", 21
	case "messaging.destination.kind", "messaging.source.kind":
		r.last = 19
	case "messaging.destination_kind", "messaging.protocol", "messaging.protocol_version", "messaging.url":
		r.last = 16
	default:
		return rename{}, false
	}
	return r, true
}

// readOld notes old names whose successors are missing (an instrumentation may give both), and takes their values.
func (m *message) readOld(span *journey.Span) {
	for i := range span.Attributes {
		a := &span.Attributes[i]
		if !strings.HasPrefix(a.Key, "messaging.") {
			continue
		}
		r, ok := renameOf(a.Key)
		if !ok {
			continue
		}
		if _, both := span.Attr(r.now); r.now == "" || !both {
			m.old = append(m.old, r)
			m.take(r.now, a)
		}
	}
	m.oldForm = m.opName == "" && m.opType == "" && (len(m.old) > 0 || oldSpanName(span.Name, m.destination))
}

// take keeps the value of an old attribute under its present name.
func (m *message) take(now string, a *journey.Attribute) {
	switch now {
	case "messaging.operation.name":
		m.op = operation.Of(a.Value.String())
	case "messaging.destination.name":
		m.destination = a.Value.String()
	case "messaging.destination.partition.id":
		m.partition = journey.StringValue(a.Value.String())
	case "messaging.consumer.group.name":
		m.group = a.Value.String()
	default:
		if now != "" {
			m.readPerMessage(&journey.Attribute{Key: now, Value: a.Value})
		}
	}
}

// oldSpanName reports a name in the form of the conventions up to 1.24: destination, then operation.
func oldSpanName(name, destination string) bool {
	at := strings.LastIndexByte(name, ' ')
	if at < 0 || destination != "" && name[:at] != destination {
		return false
	}
	return operation.Of(name[at+1:]) != operation.None
}
