package otelkgo

import (
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Operation names. Kafka's words; the types beside them are the conventions'.
const (
	operationCreate  = "create"
	operationSend    = "send"
	operationPoll    = "poll"
	operationProcess = "process"
	operationCommit  = "commit"
)

// topicState holds what is the same for all spans of one client and topic, so
// that a record costs no attribute set of its own. There is one for each topic
// that a client uses, as long as the client lives, up to maxTopics.
type topicState struct {
	client *clientState
	topic  string
	// measuredDestination is how metrics name the topic.
	measuredDestination attribute.KeyValue

	create, send, poll, process, commit operation
	// sendCreated is send for a record that has a creation context already.
	sendCreated operation

	mu sync.Mutex // guards changes of partitions, which is replaced by them, and high
	// partitions are those below maxIndexed, by number.
	partitions atomic.Pointer[[]*partitionState]
	// high are the others.
	high map[int32]*partitionState
}

// Topics and partitions beyond these limits are traced and measured, and not
// remembered: their lag is not known, nor whether they are lost.
const (
	maxTopics  = 4096 // of a client
	maxIndexed = 4096 // partitions of a topic that a slice holds
	maxHigh    = 4096 // partitions with higher numbers
)

// operation is one kind of span on one topic, and its metrics.
type operation struct {
	spanName string
	kind     trace.SpanStartOption
	// attributes are what all spans of the operation start with: those that,
	// by the conventions, samplers may need. The client id follows when a span
	// is recorded.
	attributes []attribute.KeyValue
	// start are the options of a span: its kind and attributes. root is start
	// for a trace of its own.
	start, root []trace.SpanStartOption
	// measured are the attributes of the metrics; measure is made from them.
	measured []attribute.KeyValue
	measure  *measure
}

func newTopicState(cs *clientState, raw string) *topicState {
	template, name := text(cs.in.template(raw)), text(raw)
	operation := func(op string, opType attribute.KeyValue, kind trace.SpanKind) operation {
		return newOperation(cs, name, template, op, opType, kind)
	}
	ts := &topicState{
		client: cs,
		topic:  raw,

		measuredDestination: measuredDestination(name, template),

		create:      operation(operationCreate, semconv.MessagingOperationTypeCreate, trace.SpanKindProducer),
		send:        operation(operationSend, semconv.MessagingOperationTypeSend, trace.SpanKindProducer),
		sendCreated: operation(operationSend, semconv.MessagingOperationTypeSend, trace.SpanKindClient),
		poll:        operation(operationPoll, semconv.MessagingOperationTypeReceive, trace.SpanKindClient),
		process:     operation(operationProcess, semconv.MessagingOperationTypeProcess, trace.SpanKindConsumer),
		commit:      operation(operationCommit, semconv.MessagingOperationTypeSettle, trace.SpanKindClient),
	}
	ts.partitions.Store(&[]*partitionState{})
	return ts
}

// newOperation makes the attributes of an operation. An empty topic stands for
// a batch over several topics and for a record that names none.
func newOperation(cs *clientState, topic, template, op string, opType attribute.KeyValue, kind trace.SpanKind) operation {
	common := []attribute.KeyValue{semconv.MessagingSystemKafka, semconv.MessagingOperationName(op), opType}
	o := operation{
		spanName: op, kind: trace.WithSpanKind(kind),
		// Of two attributes with one key the later one counts.
		attributes: slices.Concat(cs.in.spanAttributes, common),
		measured:   slices.Concat(cs.in.metricAttributes, common),
	}
	if cs.group != "" && kind != trace.SpanKindProducer && op != operationSend {
		o.attributes = append(o.attributes, semconv.MessagingConsumerGroupName(text(cs.group)))
		o.measured = append(o.measured, measuredGroup(cs))
	}
	o.attributes, o.measured = append(o.attributes, cs.server...), append(o.measured, cs.server...)
	if topic != "" {
		o.spanName = op + " " + template
		o.attributes = append(o.attributes, semconv.MessagingDestinationName(topic))
		if template != topic {
			o.attributes = append(o.attributes, semconv.MessagingDestinationTemplate(template))
		}
		o.measured = append(o.measured, measuredDestination(topic, template))
	}
	o.measure = newMeasure(o.measured...)
	o.start = []trace.SpanStartOption{o.kind, trace.WithAttributes(o.attributes...)}
	o.root = append([]trace.SpanStartOption{trace.WithNewRoot()}, o.start...)
	return o
}

// measuredDestination is how a metric names a topic, whose own name has its
// place there only if there are few.
func measuredDestination(topic, template string) attribute.KeyValue {
	if template != topic {
		return semconv.MessagingDestinationTemplate(template)
	}
	return semconv.MessagingDestinationName(topic)
}

// measuredGroup is how a metric names the client's group.
func measuredGroup(cs *clientState) attribute.KeyValue {
	return semconv.MessagingConsumerGroupName(text(cs.in.groupName(cs.group)))
}

// partition returns the state of partition p, or nil when p is not known
// (a record that failed before it had one).
func (ts *topicState) partition(p int32) *partitionState {
	if p < 0 {
		return nil
	}
	if all := *ts.partitions.Load(); int(p) < len(all) && all[p] != nil {
		return all[p]
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if p >= maxIndexed {
		return ts.highPartition(p)
	}
	all := *ts.partitions.Load()
	if int(p) < len(all) && all[p] != nil {
		return all[p]
	}
	grown := make([]*partitionState, max(len(all), int(p)+1))
	copy(grown, all)
	grown[p] = newPartitionState(ts, p)
	ts.partitions.Store(&grown)
	return grown[p]
}

// highPartition is partition for a number from maxIndexed on. The caller holds ts.mu.
func (ts *topicState) highPartition(p int32) *partitionState {
	if ps := ts.high[p]; ps != nil {
		return ps
	}
	ps := newPartitionState(ts, p)
	if len(ts.high) < maxHigh {
		if ts.high == nil {
			ts.high = map[int32]*partitionState{}
		}
		ts.high[p] = ps
	}
	return ps
}
