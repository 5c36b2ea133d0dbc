package otelkgo

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// sendContext is the context of a record between Produce and its
// acknowledgement: it carries the span from one hook to the other.
type sendContext struct {
	context.Context
	topic *topicState
	span  trace.Span
	start time.Duration // from clock
	// before is the record's context before the span.
	before context.Context
}

type sendContextKey struct{}

// Value finds the sendContext itself, also below contexts of other hooks.
func (sc *sendContext) Value(key any) any {
	if key == (sendContextKey{}) {
		return sc
	}
	return sc.Context.Value(key)
}

// OnProduceRecordBuffered starts the send span and writes its context into the
// record's headers, in the place of what an earlier use of the record left
// there. A record that has a creation context keeps it, and the span links to
// it. A fetched record that is produced again as it is has no context of its
// caller's (kgo keeps the record's); the one in its headers is the best there is.
func (cs *clientState) OnProduceRecordBuffered(r *kgo.Record) {
	before := r.Context
	if before == nil {
		before = context.Background()
	}
	ts := cs.topic(r.Topic)
	sc := &sendContext{topic: ts, before: before, start: cs.in.clock(before, cs.in.instruments.operation)}
	o, _ := before.Value(originKey{}).(*origin)
	parent := before
	if !trace.SpanContextFromContext(before).IsValid() && before.Value(clientStateKey{}) != nil {
		parent, _ = cs.in.extract(before, r)
	}
	switch {
	case o == nil:
		sc.Context, sc.span = cs.in.start(parent, ts.send.spanName, ts.send.start)
		cs.in.inject(sc.Context, r)
	case o.batched:
		sc.Context, sc.span = before, nil // SendBatch has a span for all of them
	default:
		cs.startDerived(sc, o, r)
	}
	r.Context = sc
}

// startDerived starts the send span of a record that comes from another one,
// or that has a creation context.
func (cs *clientState) startDerived(sc *sendContext, o *origin, r *kgo.Record) {
	op := &sc.topic.send
	creation := o.creation
	if o.custom {
		creation, _ = cs.in.extractLink(r)
	}
	if creation.IsValid() {
		op = &sc.topic.sendCreated
	}
	sc.Context, sc.span = cs.in.start(sc.before, op.spanName, withLinks(op.start, creation, o.previous))
	if !creation.IsValid() {
		cs.in.inject(sc.Context, r)
	}
}

// measureSend counts one record, with how long it took.
func (cs *clientState) measureSend(sc *sendContext, ps *partitionState, err error) {
	duration := cs.in.instruments.operation
	if err == nil && ps != nil {
		cs.in.measureDuration(sc.Context, duration, sc.start, ps.send)
		ps.sentCounter(sc.topic).n.Add(1)
		return
	}
	attrs := sc.topic.send.measured
	if err != nil {
		attrs = sc.topic.send.failedAttributes(err)
	}
	cs.in.measureDuration(sc.Context, duration, sc.start, newMeasure(attrs...))
	cs.in.sent.get(attrs...).n.Add(1)
}

// OnProduceRecordUnbuffered ends the send span and gives the record its old
// context back, so that the same record can be sent again.
func (cs *clientState) OnProduceRecordUnbuffered(r *kgo.Record, err error) {
	if r.Context == nil {
		return
	}
	sc, ok := r.Context.Value(sendContextKey{}).(*sendContext)
	if !ok || sc.topic.client != cs {
		return
	}
	r.Context = sc.before
	ps := sc.topic.partition(r.Partition)
	cs.measureSend(sc, ps, err)
	if sc.span == nil {
		return
	}
	if sc.span.IsRecording() {
		// All at once: the span grows only once for them.
		s := cs.in.scratches.get()
		set := cs.messageAttributes(s.attributes[:0], r)
		if err == nil && ps != nil {
			set = append(set, ps.id, semconv.MessagingKafkaOffset(int(r.Offset)))
		}
		sc.span.SetAttributes(set...)
		cs.in.scratches.put(s)
		failSpan(sc.span, err)
	}
	sc.span.End()
}
