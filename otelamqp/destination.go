package otelamqp

import (
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Destination is where a message goes, or where it was found.
type Destination struct {
	Exchange   string // empty: the default exchange
	RoutingKey string
	Queue      string // empty for a message that is sent
}

// String returns messaging.destination.name by the conventions for RabbitMQ:
// exchange:routing key for a producer, exchange:routing key:queue for a
// consumer. Empty parts are left out, and so is a queue that is named like the
// routing key. Without any part it is amq.default.
func (d Destination) String() string {
	if d.Queue == d.RoutingKey {
		d.Queue = ""
	}
	parts := slices.DeleteFunc([]string{d.Exchange, d.RoutingKey, d.Queue}, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return "amq.default"
	}
	return strings.Join(parts, ":")
}

// anonymous reports whether the server made up the queue's name.
func (d Destination) anonymous() bool { return strings.HasPrefix(d.Queue, "amq.gen-") }

// lowCardinality is the name without a part that the server made up.
func (d Destination) lowCardinality() string {
	if d.anonymous() {
		if d.RoutingKey == d.Queue { // sent to the queue itself
			d.RoutingKey = ""
		}
		d.Queue = ""
	}
	return d.String()
}

// Operations. The names are RabbitMQ's words; the types beside them are the
// conventions'.
type operationKind uint8

const (
	operationSend operationKind = iota
	operationSendCreated
	operationGet
	operationProcess
	operationAck
	operationNack
	operationReject
	operations // how many there are
)

var operationsOf = [operations]struct {
	name string
	typ  attribute.KeyValue
	kind trace.SpanKind
}{
	operationSend:        {"send", semconv.MessagingOperationTypeSend, trace.SpanKindProducer},
	operationSendCreated: {"send", semconv.MessagingOperationTypeSend, trace.SpanKindClient}, // the message has a creation context already
	operationGet:         {"get", semconv.MessagingOperationTypeReceive, trace.SpanKindClient},
	operationProcess:     {"process", semconv.MessagingOperationTypeProcess, trace.SpanKindConsumer},
	operationAck:         {"ack", semconv.MessagingOperationTypeSettle, trace.SpanKindClient},
	operationNack:        {"nack", semconv.MessagingOperationTypeSettle, trace.SpanKindClient},
	operationReject:      {"reject", semconv.MessagingOperationTypeSettle, trace.SpanKindClient},
}

// destination holds what is the same for all spans of one server and
// Destination, so that a message costs no attribute set of its own.
type destination struct {
	server *server
	// name is messaging.destination.name, or nothing for a batch over several.
	name string
	// raw is what it was made from.
	raw Destination
	ops [operations]struct {
		once sync.Once
		operation
	}
}

// operation is one kind of span on one destination, and its metrics.
type operation struct {
	spanName string
	// start are the options of a span: its kind and the attributes that
	// samplers may need. root is start for a trace of its own.
	start, root []trace.SpanStartOption
	// measured are the attributes of the metrics; measure is made from them.
	measured []attribute.KeyValue
	measure  *measure
}

// op returns an operation on d, made when first asked for.
func (d *destination) op(k operationKind) *operation {
	o := &d.ops[k]
	o.once.Do(func() { o.operation = newOperation(d, k) })
	return &o.operation
}

func newOperation(d *destination, k operationKind) operation {
	in, about := d.server.in, operationsOf[k]
	common := []attribute.KeyValue{semconv.MessagingSystemRabbitMQ, semconv.MessagingOperationName(about.name), about.typ}
	o := operation{spanName: about.name}
	// Of two attributes with one key the later one counts.
	attributes := slices.Concat(in.spanAttributes, common, d.server.address, d.server.peer)
	o.measured = slices.Concat(in.metricAttributes, common, d.server.address)
	if d.name != "" {
		template := text(in.template(d.raw))
		o.spanName += " " + template
		attributes = append(attributes, semconv.MessagingDestinationName(d.name))
		if d.raw.RoutingKey != "" {
			attributes = append(attributes, semconv.MessagingRabbitMQDestinationRoutingKey(text(d.raw.RoutingKey)))
		}
		if d.raw.anonymous() {
			attributes = append(attributes, semconv.MessagingDestinationAnonymous(true))
		}
		if template == d.name {
			o.measured = append(o.measured, semconv.MessagingDestinationName(d.name))
		} else {
			attributes = append(attributes, semconv.MessagingDestinationTemplate(template))
			o.measured = append(o.measured, semconv.MessagingDestinationTemplate(template))
		}
	}
	o.measure = newMeasure(o.measured...)
	o.start = []trace.SpanStartOption{trace.WithSpanKind(about.kind), trace.WithAttributes(attributes...)}
	o.root = append([]trace.SpanStartOption{trace.WithNewRoot()}, o.start...)
	return o
}
