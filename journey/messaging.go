package journey

import (
	"cmp"
	"strings"

	"tracelab/journey/semconv"
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

// Messaging is what a span's attributes say about the message that it handles, under today's names or older ones.
type Messaging struct {
	System      string // messaging.system
	Operation   semconv.Operation
	Destination string // messaging.destination.name
	Template    string // messaging.destination.template
	Group       string // messaging.consumer.group.name
}

// Topic returns the destination's template, or else its name.
func (m Messaging) Topic() string { return cmp.Or(m.Template, m.Destination) }

// Messaging reads the span's messaging attributes, and returns false when it has none. Today's names win over older ones.
func (s *Span) Messaging() (Messaging, bool) {
	m, f := s.readAttributes()
	return m, f&isMessaging != 0
}

// readAttributes looks once through the attributes for what the rules need.
func (s *Span) readAttributes() (m Messaging, f flags) {
	old := oldMessaging{}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if a.Key == semconv.ErrorType {
			f |= hasErrorType
		}
		if !strings.HasPrefix(a.Key, semconv.MessagingPrefix) {
			continue
		}
		f |= isMessaging
		switch a.Key {
		case semconv.MessagingSystem:
			m.System = a.Value.str
		case semconv.MessagingOperationType:
			m.Operation = semconv.ParseOperation(a.Value.str)
		case semconv.MessagingDestinationName:
			m.Destination = a.Value.str
		case semconv.MessagingDestinationTemplate:
			m.Template = a.Value.str
		case semconv.MessagingConsumerGroupName:
			m.Group = a.Value.str
		default:
			old.read(a)
		}
	}
	if m.Operation == semconv.OperationNone {
		m.Operation = old.operation
	}
	m.Destination, m.Group = cmp.Or(m.Destination, old.destination), cmp.Or(m.Group, old.group)
	if s.Kind == KindConsumer || m.Operation == semconv.OperationReceive || m.Operation == semconv.OperationProcess {
		f |= isConsumer
	}
	return m, f
}

// oldMessaging holds the values of older names.
type oldMessaging struct {
	operation          semconv.Operation
	destination, group string
}

func (o *oldMessaging) read(a *Attribute) {
	r, ok := semconv.RenameOf(a.Key)
	if !ok {
		return
	}
	switch r.Now {
	case semconv.MessagingOperationName:
		o.operation = semconv.ParseOperation(a.Value.str)
	case semconv.MessagingDestinationName:
		o.destination = cmp.Or(o.destination, a.Value.str)
	case semconv.MessagingConsumerGroupName:
		o.group = cmp.Or(o.group, a.Value.str)
	}
}
