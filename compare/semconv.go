package compare

import "strings"

// operation is what a messaging span did, after messaging.operation.type.
type operation uint8

const (
	noOperation operation = iota
	opCreate
	opSend
	opReceive
	opProcess
	opSettle
)

// operationOf reads messaging.operation.type of the OpenTelemetry semantic conventions, and the values that it and its
// predecessor messaging.operation (conventions up to 1.24) had.
func operationOf(value string) operation {
	switch value {
	case "create":
		return opCreate
	case "send", "publish":
		return opSend
	case "receive":
		return opReceive
	case "process", "deliver":
		return opProcess
	case "settle":
		return opSettle
	}
	return noOperation
}

type flags uint8

const (
	isMessaging  flags = 1 << iota // has an attribute messaging.*
	isConsumer                     // consumer-side: kind CONSUMER, or the operation is receive or process
	hasErrorType                   // has error.type
	isOrphan                       // names a parent that is missing
	isCut                          // names a parent that is ignored, because parents form a cycle
	isShared                       // in no journey: settle spans, and receive spans from which no edge counts
	isDuplicate                    // an earlier span of the trace has the same id
)

// messaging is what the rules need to know of a span's attributes.
type messaging struct {
	topic, group string
	op           operation
	flags        flags
}

// messagingOf looks once through the attributes of a span.
func messagingOf(span *Span) messaging {
	var m messaging
	old, template := noOperation, ""
	for i := range span.Attributes {
		a := &span.Attributes[i]
		if a.Key == "error.type" {
			m.flags |= hasErrorType
		}
		if !strings.HasPrefix(a.Key, "messaging.") {
			continue
		}
		m.flags |= isMessaging
		switch a.Key {
		case "messaging.operation.type":
			m.op = operationOf(a.Value.str)
		case "messaging.operation":
			old = operationOf(a.Value.str)
		case "messaging.destination.name":
			m.topic = a.Value.str
		case "messaging.destination.template":
			template = a.Value.str
		case "messaging.consumer.group.name":
			m.group = a.Value.str
		case "messaging.kafka.consumer.group", "messaging.kafka.consumer_group":
			if m.group == "" {
				m.group = a.Value.str
			}
		case "messaging.destination":
			if m.topic == "" {
				m.topic = a.Value.str
			}
		}
	}
	if m.op == noOperation {
		m.op = old
	}
	if template != "" {
		m.topic = template
	}
	if span.Kind == Consumer || m.op == opReceive || m.op == opProcess {
		m.flags |= isConsumer
	}
	return m
}
