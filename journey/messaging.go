package journey

import (
	"cmp"
	"strings"

	"tracelab/journey/semconv"
)

type flags uint16

const (
	isMessaging     flags = 1 << iota // has an attribute messaging.*
	isConsumer                        // consumer-side: kind CONSUMER, operation receive or process, or faas.trigger pubsub
	hasErrorType                      // has error.type
	isOrphan                          // names a parent that is missing
	isCut                             // names a parent that is ignored, because parents form a cycle
	isShared                          // in no journey: settle spans, and receive spans from which no edge counts
	isDuplicate                       // an earlier span of the trace has the same id
	hasErrorStatus                    // has the status Error
	hasConversation                   // has messaging.message.conversation_id
	hasChildOf                        // has a link with opentracing.ref_type child_of
	isCarryOn                         // carries on what its parent left in a mailbox, by its own account
	isCoarse                          // the clock of its resource steps by milliseconds, in its trace
	isPoll                            // a receive span one of whose messages another span handles: no message edge to it is a delivery
	tookMessages                      // a receive span whose message edges do not count
	isLeftOut                         // selected by Without, or caused by a span that is, or named by Aside
)

// Messaging is what a span's attributes say about the message that it handles, under today's names or older ones.
type Messaging struct {
	System      string // messaging.system
	Operation   semconv.Operation
	Destination string // messaging.destination.name
	Template    string // messaging.destination.template
	Group       string // messaging.consumer.group.name, or else messaging.destination.subscription.name
}

// Topic returns the destination's template, or else its name.
func (m Messaging) Topic() string { return cmp.Or(m.Template, m.Destination) }

// Messaging reads the span's messaging attributes, and returns false when it has none. Today's names win over older ones.
func (s *Span) Messaging() (Messaging, bool) {
	m, f := s.readAttributes()
	return m, f&isMessaging != 0
}

// readAttributes reads, in one pass over the attributes, what the rules need.
func (s *Span) readAttributes() (m Messaging, f flags) {
	old := oldMessaging{}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if !strings.HasPrefix(a.Key, semconv.MessagingPrefix) {
			switch a.Key {
			case semconv.ErrorType:
				f |= hasErrorType
			case semconv.FaaSTrigger:
				if a.Value.str == "pubsub" {
					f |= isConsumer
				}
			case carryOnKey:
				f |= isCarryOn
			}
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
		case semconv.MessagingDestinationSubscription:
			old.subscription = a.Value.str
		case semconv.MessagingMessageConversationID:
			f |= hasConversation
		default:
			old.read(a)
		}
	}
	if m.Operation == semconv.OperationNone {
		m.Operation = old.operation
	}
	m.Destination, m.Group = cmp.Or(m.Destination, old.destination), cmp.Or(m.Group, old.group, old.subscription)
	if old.conversation {
		f |= hasConversation
	}
	if s.Status == StatusError {
		f |= hasErrorStatus
	}
	if s.Kind == KindInternal && s.Name == carryOnName {
		f |= isCarryOn
	}
	if s.Kind == KindConsumer || m.Operation == semconv.OperationReceive || m.Operation == semconv.OperationProcess {
		f |= isConsumer
	}
	return m, f
}

// oldMessaging holds the values of older names.
type oldMessaging struct {
	operation                        semconv.Operation
	destination, group, subscription string
	conversation                     bool
}

// A span that carries on says so by an attribute or, if its kind is INTERNAL, by its name.
const (
	carryOnKey  = "tracelab.carry_on"
	carryOnName = "carry on"
)

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
	case semconv.MessagingDestinationSubscription:
		o.subscription = cmp.Or(o.subscription, a.Value.str)
	case semconv.MessagingMessageConversationID:
		o.conversation = true
	}
}

// isConversation reports the name, or the older one, of the attribute that ties a reply to what was sent for it.
func isConversation(key string) bool {
	if key == semconv.MessagingMessageConversationID {
		return true
	}
	r, ok := semconv.RenameOf(key)
	return ok && r.Now == semconv.MessagingMessageConversationID
}

// sends reports a span that sends messages.
func (n *node) sends() bool {
	return (n.kind == KindProducer || n.op == semconv.OperationSend) && n.op != semconv.OperationCreate
}
