package otelkgo

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// partitionState holds what depends on the partition: attribute sets, open
// process spans, and how far the client has read.
type partitionState struct {
	id attribute.KeyValue // messaging.destination.partition.id, a string by convention
	// attributes are those that every process span starts with. process are the
	// options that set them, processRoot the same for a new trace.
	attributes           []attribute.KeyValue
	process, processRoot []trace.SpanStartOption
	// send, consumed and processed are for records that went well.
	send, consumed, processed *measure
	sent                      atomic.Pointer[counter]
	// lag is for the gauges; empty without a group.
	lag *measure

	mu       sync.Mutex
	inflight *inflight // the first of a list
	lost     bool
	position position
}

func newPartitionState(ts *topicState, p int32) *partitionState {
	id := semconv.MessagingDestinationPartitionID(strconv.Itoa(int(p)))
	with := func(attrs []attribute.KeyValue) []attribute.KeyValue { return append(slices.Clone(attrs), id) }
	attributes := with(ts.process.attributes)
	process := []trace.SpanStartOption{ts.process.kind, trace.WithAttributes(attributes...)}
	ps := &partitionState{
		id:          id,
		attributes:  attributes,
		process:     process,
		processRoot: append([]trace.SpanStartOption{trace.WithNewRoot()}, process...),
		send:        newMeasure(with(ts.send.measured)...),
		consumed:    newMeasure(with(ts.poll.measured)...),
		processed:   newMeasure(with(ts.process.measured)...),
	}
	if ts.client.group != "" {
		ps.lag = newMeasure(
			semconv.MessagingSystemKafka,
			measuredGroup(ts.client),
			ts.measuredDestination,
			id,
		)
	}
	return ps
}

// sentCounter returns the counter of records sent to this partition. A partition
// that is only read has none.
func (ps *partitionState) sentCounter(ts *topicState) *counter {
	c := ps.sent.Load()
	if c == nil {
		c = ts.client.in.sent.get(append(slices.Clone(ts.send.measured), ps.id)...)
		ps.sent.Store(c)
	}
	return c
}

// inflight is one open process span in one partition.
type inflight struct {
	process    *Process
	partition  *partitionState
	prev, next *inflight
}

// enter adds f to the open spans of ps. A span that opens on a partition that
// is lost already is lost from the start.
func (ps *partitionState) enter(f *inflight) {
	f.partition = ps
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.lost {
		f.process.lost.Store(true)
	}
	f.next = ps.inflight
	if f.next != nil {
		f.next.prev = f
	}
	ps.inflight = f
}

// leave removes f. An f that never entered is left alone.
func (f *inflight) leave() {
	ps := f.partition
	if ps == nil {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		ps.inflight = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}

// lose marks the partition and its open spans as lost.
func (ps *partitionState) lose() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.lost = true
	for f := ps.inflight; f != nil; f = f.next {
		f.process.lost.Store(true)
	}
	ps.position = position{}
}

// own removes the mark of lose: the partition is this member's again.
func (ps *partitionState) own() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.lost = false
}

func (ps *partitionState) isLost() bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.lost
}
