package otelkgo

import (
	"context"
	"strings"
	"time"
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
	start  time.Time
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
// there. A record that has a creation context keeps it, and the span links to it.
func (cs *clientState) OnProduceRecordBuffered(r *kgo.Record) {
	before := r.Context
	if before == nil {
		before = context.Background()
	}
	ts := cs.topic(r.Topic)
	sc := &sendContext{client: cs, topic: ts, before: before, start: clock(before, cs.in.instruments.operation)}
	o, _ := before.Value(originKey{}).(*origin)
	switch {
	case o == nil:
		sc.Context, sc.span = cs.in.startMessage(before, &ts.send, r)
		cs.in.inject(sc.Context, r)
	case o.batched:
		sc.Context, sc.span = before, nil // SendBatch has a span for all of them
	default:
		cs.startDerived(sc, o, r)
	}
	r.Context = sc
}

// startMessage starts a span about r, with links to those of targets, at most
// two, that are valid.
func (in *Instrumentation) startMessage(ctx context.Context, op *operation, r *kgo.Record, targets ...trace.SpanContext) (context.Context, trace.Span) {
	s := in.starters.get()
	s.add(op.attributes...)
	in.addMessage(s, r)
	for _, sc := range targets {
		s.link(sc)
	}
	return in.start(ctx, s, op.spanName, op.kind)
}

// startDerived starts the send span of a record that comes from another one,
// or that has a creation context.
func (cs *clientState) startDerived(sc *sendContext, o *origin, r *kgo.Record) {
	op := &sc.topic.send
	creation := o.creation
	if o.custom {
		creation = trace.SpanContextFromContext(cs.in.extractLink(r))
	}
	if creation.IsValid() {
		op = &sc.topic.sendCreated
	}
	sc.Context, sc.span = cs.in.startMessage(sc.before, op, r, creation, o.previous)
	if !creation.IsValid() {
		cs.in.inject(sc.Context, r)
	}
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
	ps := sc.topic.partition(r.Partition)
	m := sc.topic.send.measure
	switch {
	case err != nil:
		m = sc.topic.send.failed(err)
	case ps != nil:
		m = ps.sent
	}
	cs.in.measureSend(sc.Context, sc.start, m)
	if sc.span == nil {
		return
	}
	if sc.span.IsRecording() {
		if err == nil && ps != nil {
			sc.span.SetAttributes(ps.id, semconv.MessagingKafkaOffset(int(r.Offset)))
		}
		failSpan(sc.span, err)
	}
	sc.span.End()
}

// inject writes the context into the headers of r and removes what else of a
// context is there: an old tracestate or baggage must not join a new trace. It
// makes a new slice: the old one may belong to another record too.
func (in *Instrumentation) inject(ctx context.Context, r *kgo.Record) {
	headers := make([]kgo.RecordHeader, 0, len(r.Headers)+len(in.fields))
	for _, h := range r.Headers {
		if !in.isContext(h) {
			headers = append(headers, h)
		}
	}
	r.Headers = headers
	in.propagator.Inject(ctx, freshCarrier{RecordCarrier{r}})
}

// isContext reports whether h is a header of the propagator.
func (in *Instrumentation) isContext(h kgo.RecordHeader) bool {
	for _, f := range in.fields {
		if strings.EqualFold(h.Key, f) {
			return true
		}
	}
	return false
}

// addMessage adds what a record itself says: its key when it is text, whether
// it is a tombstone, and its id.
func (in *Instrumentation) addMessage(s *starter, r *kgo.Record) {
	if r.Key != nil && utf8.Valid(r.Key) {
		s.add(semconv.MessagingKafkaMessageKey(string(r.Key)))
	}
	if r.Key != nil && r.Value == nil {
		s.add(semconv.MessagingKafkaMessageTombstone(true))
	}
	if id := in.messageID(r); id != "" {
		s.add(semconv.MessagingMessageID(id))
	}
}

// messageAttributes appends what addMessage adds.
func (in *Instrumentation) messageAttributes(attrs []attribute.KeyValue, r *kgo.Record) []attribute.KeyValue {
	s := in.starters.get()
	in.addMessage(s, r)
	attrs = append(attrs, s.attributes[:s.n]...)
	clear(s.attributes[:s.n])
	s.n = 0
	in.starters.pool.Put(s)
	return attrs
}
