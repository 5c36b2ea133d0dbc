package lab

import (
	"context"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services"
)

// orderKey names an order of a run: the spans that carry it belong to that order.
type orderKey struct {
	form   services.Form
	number int
}

// openSpans is a span processor that knows which orders of a run still have a span that has not ended: as long as
// there is one, the order's journey cannot be complete. It works in process only.
type openSpans struct {
	run string

	mu    sync.Mutex
	owner map[trace.SpanID]orderKey
	count map[orderKey]int
	lost  map[orderKey]bool // orders that had a span open in a service when it was killed; nil: none is noted
}

func newOpenSpans(run string) *openSpans {
	return &openSpans{run: run, owner: map[trace.SpanID]orderKey{}, count: map[orderKey]int{}}
}

// OnStart notes the order in whose context the span starts.
func (o *openSpans) OnStart(parent context.Context, s sdktrace.ReadWriteSpan) {
	bag := baggage.FromContext(parent)
	if bag.Member(services.KeyRun).Value() != o.run {
		return
	}
	number, err := strconv.Atoi(bag.Member(services.KeyNumber).Value())
	if err != nil {
		return // no order of ours
	}
	key := orderKey{services.Form(bag.Member(services.KeyForm).Value()), number}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner[s.SpanContext().SpanID()] = key
	o.count[key]++
}

// OnEnd decrements the order's count of open spans.
func (o *openSpans) OnEnd(s sdktrace.ReadOnlySpan) {
	id := s.SpanContext().SpanID()
	o.mu.Lock()
	defer o.mu.Unlock()
	key, ok := o.owner[id]
	if !ok {
		return
	}
	delete(o.owner, id)
	if o.count[key]--; o.count[key] == 0 {
		delete(o.count, key)
	}
}

// OnLost is OnEnd of a span whose service was killed.
func (o *openSpans) OnLost(s sdktrace.ReadOnlySpan) {
	o.mu.Lock()
	if key, ok := o.owner[s.SpanContext().SpanID()]; ok && o.lost != nil {
		o.lost[key] = true
	}
	o.mu.Unlock()
	o.OnEnd(s)
}

// lostSpan tells whether a span of an order was lost with a service that was killed.
func (o *openSpans) lostSpan(key orderKey) bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost[key]
}

// Shutdown and ForceFlush have nothing to do.
func (o *openSpans) Shutdown(context.Context) error   { return nil }
func (o *openSpans) ForceFlush(context.Context) error { return nil }

// open counts the spans of an order that have not ended.
func (o *openSpans) open(key orderKey) int {
	if o == nil { // the services run elsewhere
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count[key]
}
