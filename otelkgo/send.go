package otelkgo

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// sendContext is the context of a record between Produce and its
// acknowledgement: it carries the span from one hook to the other.
type sendContext struct {
	context.Context
	client *clientState
	topic  *topicState
	span   trace.Span
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
// record's headers, in the place of what an earlier use of the record left there.
func (cs *clientState) OnProduceRecordBuffered(r *kgo.Record) {
	before := r.Context
	if before == nil {
		before = context.Background()
	}
	ts := cs.topic(r.Topic)
	ctx, span := cs.in.tracer.Start(before, ts.send.spanName, ts.send.start...)
	if span.IsRecording() {
		span.SetAttributes(messageAttributes(nil, r)...)
	}
	cs.in.propagator.Inject(ctx, RecordCarrier{r})
	r.Context = &sendContext{Context: ctx, client: cs, topic: ts, span: span, before: before}
}

// OnProduceRecordUnbuffered ends the send span and gives the record its old
// context back, so that the same record can be sent again.
func (cs *clientState) OnProduceRecordUnbuffered(r *kgo.Record, err error) {
	if r.Context == nil {
		return
	}
	sc, ok := r.Context.Value(sendContextKey{}).(*sendContext)
	if !ok || sc.client != cs {
		return
	}
	r.Context = sc.before
	if sc.span.IsRecording() {
		if err == nil {
			sc.span.SetAttributes(
				semconv.MessagingDestinationPartitionID(strconv.Itoa(int(r.Partition))),
				semconv.MessagingKafkaOffset(int(r.Offset)),
			)
		}
		failSpan(sc.span, err)
	}
	sc.span.End()
}

// messageAttributes appends what a record itself says: its key when it is
// text, and whether it is a tombstone.
func messageAttributes(attrs []attribute.KeyValue, r *kgo.Record) []attribute.KeyValue {
	if r.Key == nil {
		return attrs
	}
	if utf8.Valid(r.Key) {
		attrs = append(attrs, semconv.MessagingKafkaMessageKey(string(r.Key)))
	}
	if r.Value == nil {
		attrs = append(attrs, semconv.MessagingKafkaMessageTombstone(true))
	}
	return attrs
}
