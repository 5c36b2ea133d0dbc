package journey

import (
	"strings"

	"tracelab/journey/internal/operation"
)

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
	op           operation.Type
	flags        flags
}

// messagingOf looks once through the attributes of a span.
func messagingOf(span *Span) messaging {
	var m messaging
	old, template := operation.None, ""
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
			m.op = operation.Of(a.Value.str)
		case "messaging.operation":
			old = operation.Of(a.Value.str)
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
		case "messaging.destination", "messaging.source.name": // up to 1.16, and a consumer's up to 1.20
			if m.topic == "" {
				m.topic = a.Value.str
			}
		}
	}
	if m.op == operation.None {
		m.op = old
	}
	if template != "" {
		m.topic = template
	}
	if span.Kind == KindConsumer || m.op == operation.Receive || m.op == operation.Process {
		m.flags |= isConsumer
	}
	return m
}
