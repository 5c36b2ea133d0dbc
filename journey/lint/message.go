package lint

import (
	"strconv"
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// namedOperation returns the operation of a name that clients use, to compare it with the type.
func namedOperation(name string) semconv.Operation {
	switch name {
	case "poll", "consume", "fetch":
		return semconv.OperationReceive
	case "produce":
		return semconv.OperationSend
	case "commit", "ack", "nack", "acknowledge", "reject":
		return semconv.OperationSettle
	}
	return semconv.ParseOperation(name)
}

// message is what the attributes of a messaging span say. Old names count where the present ones are missing.
type message struct {
	op          semconv.Operation
	system      string
	opName      string // messaging.operation.name
	opType      string // messaging.operation.type
	destination string
	template    string
	unnamed     bool // the destination is temporary or anonymous
	group       string
	partition   journey.Value
	offset      journey.Value
	key         journey.Value
	tombstone   journey.Value
	count       int64 // messaging.batch.message_count
	hasCount    bool
	bodySize    int64
	errorType   string
	omitted     int64   // links that the instrumentation says it left out
	origins     origins // of a span that consumes messages

	bare       bool             // known by its kind alone: there is no attribute messaging.*
	kafka      bool             // has an attribute messaging.kafka.*
	vendor     string           // the system whose own attributes it has, such as rabbitmq
	perMessage []string         // attributes that describe one message
	old        []semconv.Rename // old names without their successors
	oldForm    bool             // operation and span name follow conventions up to 1.24
}

// The attributes with the number of links that an instrumentation left out of a span.
const (
	omittedByOtelkgo  = "otelkgo.links.omitted"
	omittedByOtelamqp = "otelamqp.links.omitted"
)

// messageOf reads a messaging span, and returns nil for any other span: those of kind PRODUCER or CONSUMER are messaging
// spans, and those that name an operation or a messaging system.
func messageOf(span *journey.Span) *message {
	m := message{bare: true}
	messaging := span.Kind == journey.KindProducer || span.Kind == journey.KindConsumer
	for i := range span.Attributes {
		a := &span.Attributes[i]
		if !strings.HasPrefix(a.Key, semconv.MessagingPrefix) {
			m.readOther(a)
			continue
		}
		m.bare = false
		if system := semconv.SystemOf(a.Key); system != "" {
			m.vendor = system
			m.kafka = m.kafka || system == "kafka"
		}
		messaging = m.read(a) || messaging
	}
	if !messaging {
		return nil
	}
	m.readOld(span)
	m.findOperation(span)
	return &m
}

func (m *message) readOther(a *journey.Attribute) {
	switch a.Key {
	case semconv.ErrorType:
		m.errorType = a.Value.String()
	case omittedByOtelkgo, omittedByOtelamqp:
		m.omitted, _ = number(a.Value)
	}
}

// read keeps an attribute messaging.*, and reports whether it makes its span a messaging span.
func (m *message) read(a *journey.Attribute) bool {
	switch a.Key {
	case semconv.MessagingSystem:
		m.system = a.Value.String()
		return true
	case semconv.MessagingOperationName:
		m.opName = a.Value.String()
		return true
	case semconv.MessagingOperationType:
		m.opType = a.Value.String()
		return true
	case "messaging.operation":
		return true
	case semconv.MessagingDestinationName:
		m.destination = a.Value.String()
	case semconv.MessagingDestinationTemplate:
		m.template = a.Value.String()
	case semconv.MessagingDestinationTemporary, semconv.MessagingDestinationAnonymous:
		m.unnamed = m.unnamed || a.Value.String() == "true"
	case semconv.MessagingConsumerGroupName:
		m.group = a.Value.String()
	case semconv.MessagingDestinationPartitionID:
		m.partition = a.Value
	case semconv.MessagingBatchMessageCount:
		m.count, m.hasCount = number(a.Value)
	default:
		m.readPerMessage(a)
	}
	return false
}

// readPerMessage keeps attributes that describe a single message, by the conventions.
func (m *message) readPerMessage(a *journey.Attribute) {
	switch a.Key {
	case semconv.MessagingKafkaOffset:
		m.offset = a.Value
	case semconv.MessagingKafkaMessageKey:
		m.key = a.Value
	case semconv.MessagingKafkaTombstone:
		m.tombstone = a.Value
	case semconv.MessagingMessageBodySize:
		m.bodySize, _ = number(a.Value)
	case semconv.MessagingRabbitMQDeliveryTag, semconv.MessagingMessageID, semconv.MessagingMessageConversationID, semconv.MessagingMessageEnvelopeSize:
	default:
		return
	}
	m.perMessage = append(m.perMessage, a.Key)
}

// findOperation settles on one operation: by name where that is well known, else by type, else by the old attribute
// (already in op), by kind. M03 is about names and types that are at odds.
func (m *message) findOperation(span *journey.Span) {
	for _, op := range []semconv.Operation{semconv.ParseOperation(m.opType), namedOperation(m.opName)} {
		if op != semconv.OperationNone {
			m.op = op
		}
	}
	if m.op != semconv.OperationNone {
		return
	}
	switch span.Kind {
	case journey.KindProducer:
		m.op = semconv.OperationSend
	case journey.KindConsumer:
		m.op = semconv.OperationProcess
	default:
	}
}

// consumes reports whether the span receives or processes messages.
func (m *message) consumes() bool {
	return m.op == semconv.OperationReceive || m.op == semconv.OperationProcess
}

// failed reports an error status or error.type.
func (m *message) failed(span *journey.Span) bool {
	return span.Status == journey.StatusError || m.errorType != ""
}

// number reads an integer, also one that a format wrote as text.
func number(v journey.Value) (int64, bool) {
	if n, ok := v.Int64(); ok {
		return n, true
	}
	n, err := strconv.ParseInt(v.String(), 10, 64)
	return n, err == nil
}

func missing(v journey.Value) bool { return v.Kind() == journey.ValueEmpty }
