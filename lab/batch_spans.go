package lab

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/services"
	"tracelab/services/flows"
)

// waitingBatchesLimit is how many links of batches may wait for the spans that they lead to: those of other runs and of the warm-up never come.
const waitingBatchesLimit = 100_000

// batchSpans are the process spans of messages that were handled together. Such a span is of no order alone: it belongs to all whose messages it
// links to. The run directory gets it once.
type batchSpans struct {
	senders map[pcommon.SpanID]*record      // of the run's orders, by the span that sent a message
	waiting map[pcommon.SpanID][]*batchSpan // by the span that they link to, which has not come
	links   int                             // in waiting
	limit   int                             // of links
}

// batchSpan is one of them.
type batchSpan struct {
	traces  ptrace.Traces
	span    journey.Span
	written bool // to the form's file, with the spans of one of its orders
}

// newBatchSpans returns nil when no form handles messages together.
func newBatchSpans(flow *flows.Flow, forms []services.Form) *batchSpans {
	if !slices.ContainsFunc(forms, flow.HasBatches) {
		return nil
	}
	return &batchSpans{senders: map[pcommon.SpanID]*record{}, waiting: map[pcommon.SpanID][]*batchSpan{}, limit: waitingBatchesLimit}
}

// isBatch tells whether a span is the handling of several messages.
func (b *batchSpans) isBatch(span ptrace.Span) bool {
	if b == nil || span.Kind() != ptrace.SpanKindConsumer {
		return false
	}
	_, ok := span.Attributes().Get("messaging.batch.message_count")
	return ok
}

// addBatch takes the span of a batch and gives it to the orders that have sent its messages. It returns them.
func (j *judge) addBatch(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans, span ptrace.Span) (touched []*record) {
	b := &batchSpan{traces: ptrace.NewTraces()}
	span.CopyTo(copyScope(resource, scope, b.traces).AppendEmpty())
	b.span = source.FromTraces(b.traces, "collected")[0]
	for _, link := range span.Links().All() {
		switch r := j.batches.senders[link.SpanID()]; {
		case r != nil:
			if j.attach(r, b) {
				touched = append(touched, r)
			}
		case j.batches.links < j.batches.limit:
			j.batches.waiting[link.SpanID()] = append(j.batches.waiting[link.SpanID()], b)
			j.batches.links++
		}
	}
	return touched
}

// noteSender notes that a span of an order may have sent a message, and gives the order the batches that have waited for it.
func (j *judge) noteSender(r *record, kind ptrace.SpanKind, id pcommon.SpanID) {
	if j.batches == nil || kind != ptrace.SpanKindProducer {
		return
	}
	j.batches.senders[id] = r
	for _, b := range j.batches.waiting[id] {
		j.attach(r, b)
	}
	j.batches.links -= len(j.batches.waiting[id])
	delete(j.batches.waiting, id)
}

// attach gives an order the span of a batch. It reports false when the order has it.
func (j *judge) attach(r *record, b *batchSpan) bool {
	if slices.Contains(r.batches, b) {
		return false
	}
	if r.complete {
		j.reopen(r)
	}
	r.batches = append(r.batches, b)
	r.dirty = true
	if !b.written {
		b.written = true
		if r.unsaved == 0 {
			r.held = ptrace.NewTraces()
		}
		b.traces.ResourceSpans().MoveAndAppendTo(r.held.ResourceSpans())
		r.spans++
		r.unsaved++
		j.held++
	}
	return true
}

// withBatches adds the spans of an order's batches to its own, each with the links alone that lead to the order's spans.
func (r *record) withBatches(spans []journey.Span) []journey.Span {
	if len(r.batches) == 0 {
		return spans
	}
	own := make(map[journey.Ref]bool, len(spans))
	for i := range spans {
		own[spans[i].Ref()] = true
	}
	spans = slices.DeleteFunc(spans, func(s journey.Span) bool {
		return slices.ContainsFunc(r.batches, func(b *batchSpan) bool { return b.span.Ref() == s.Ref() })
	})
	for _, b := range r.batches {
		span := b.span
		span.Links = slices.DeleteFunc(slices.Clone(span.Links), func(l journey.Link) bool { return !own[l.Ref] })
		spans = append(spans, span)
	}
	return spans
}

// forget lets an order go: batches of its messages that come later are not its own any more.
func (b *batchSpans) forget(r *record) {
	if b == nil || r.unsaved == 0 {
		return
	}
	for _, resource := range r.held.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if b.senders[span.SpanID()] == r {
					delete(b.senders, span.SpanID())
				}
			}
		}
	}
}
