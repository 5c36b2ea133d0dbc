package otelkgo

import (
	"slices"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Operation names. Kafka's words; the types beside them are the conventions'.
const (
	operationSend    = "send"
	operationPoll    = "poll"
	operationProcess = "process"
	operationCommit  = "commit"
)

// topicState holds what is the same for all spans of one client and topic, so
// that a record costs no attribute set of its own.
type topicState struct {
	client *clientState
	topic  string

	send, poll, process, commit operation

	mu         sync.RWMutex
	partitions []*partitionState
}

// operation is one kind of span on one topic.
type operation struct {
	spanName string
	kind     trace.SpanStartOption
	// attributes are given at the start of a span, where samplers see them.
	attributes []attribute.KeyValue
	// start are the options of a span without anything of its own.
	start []trace.SpanStartOption
}

// partitionState is the part of topicState that also depends on the partition.
type partitionState struct {
	id string
	// process are the start options of a process span, partition included.
	process []trace.SpanStartOption
}

func (cs *clientState) topic(name string) *topicState {
	if v, ok := cs.topics.Load(name); ok {
		return v.(*topicState)
	}
	v, _ := cs.topics.LoadOrStore(name, newTopicState(cs, name))
	return v.(*topicState)
}

func newTopicState(cs *clientState, name string) *topicState {
	ts := &topicState{client: cs, topic: name}
	ts.send = ts.operation(operationSend, semconv.MessagingOperationTypeSend, trace.SpanKindProducer)
	ts.poll = ts.operation(operationPoll, semconv.MessagingOperationTypeReceive, trace.SpanKindClient)
	ts.process = ts.operation(operationProcess, semconv.MessagingOperationTypeProcess, trace.SpanKindConsumer)
	ts.commit = ts.operation(operationCommit, semconv.MessagingOperationTypeSettle, trace.SpanKindClient)
	return ts
}

func (ts *topicState) operation(name string, opType attribute.KeyValue, kind trace.SpanKind) operation {
	template := ts.client.in.template(ts.topic)
	attrs := []attribute.KeyValue{
		semconv.MessagingSystemKafka,
		semconv.MessagingOperationName(name),
		opType,
		semconv.MessagingDestinationName(ts.topic),
	}
	if template != ts.topic {
		attrs = append(attrs, semconv.MessagingDestinationTemplate(template))
	}
	if ts.client.group != "" && name != operationSend {
		attrs = append(attrs, semconv.MessagingConsumerGroupName(ts.client.group))
	}
	attrs = append(attrs, ts.client.attributes...)
	op := operation{spanName: name + " " + template, kind: trace.WithSpanKind(kind), attributes: attrs}
	op.start = []trace.SpanStartOption{op.kind, trace.WithAttributes(attrs...)}
	return op
}

// partition returns the state of partition p, which is at least 0.
func (ts *topicState) partition(p int32) *partitionState {
	ts.mu.RLock()
	if int(p) < len(ts.partitions) && ts.partitions[p] != nil {
		defer ts.mu.RUnlock()
		return ts.partitions[p]
	}
	ts.mu.RUnlock()
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for int(p) >= len(ts.partitions) {
		ts.partitions = append(ts.partitions, nil)
	}
	if ts.partitions[p] == nil {
		ts.partitions[p] = newPartitionState(ts, p)
	}
	return ts.partitions[p]
}

func newPartitionState(ts *topicState, p int32) *partitionState {
	id := strconv.Itoa(int(p))
	attrs := append(slices.Clone(ts.process.attributes), semconv.MessagingDestinationPartitionID(id))
	return &partitionState{
		id:      id,
		process: []trace.SpanStartOption{ts.process.kind, trace.WithAttributes(attrs...)},
	}
}
