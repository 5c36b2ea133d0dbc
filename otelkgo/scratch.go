package otelkgo

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// maxSpanAttributes is how many attributes a span over one record can have:
// those of newOperation, partition and offset, those of messageAttributes, the
// number of traceparents, and room for a few of WithRecordAttributes.
const maxSpanAttributes = 8 + 2 + 5 + 1 + 4

// scratch is where the attributes of one span are put together. The tracing API
// copies them, so one scratch serves many spans, one after the other.
type scratch struct {
	attributes []attribute.KeyValue
	// first are options with the first n attributes, made when first needed:
	// as they refer to the array, they hold for whatever stands in it.
	first   []trace.SpanStartOption
	options [2]trace.SpanStartOption
}

// startOptions returns the options of a span of this kind with these
// attributes, which were appended to s.attributes[:0].
func (s *scratch) startOptions(kind trace.SpanStartOption, set []attribute.KeyValue) []trace.SpanStartOption {
	n := len(set)
	if n > len(s.attributes) { // append has moved them elsewhere
		s.options = [...]trace.SpanStartOption{kind, trace.WithAttributes(set...)}
		return s.options[:]
	}
	if s.first[n] == nil {
		s.first[n] = trace.WithAttributes(s.attributes[:n]...)
	}
	s.options = [...]trace.SpanStartOption{kind, s.first[n]}
	return s.options[:]
}

// scratches are a pool of them, with room for size attributes each.
type scratches struct {
	pool sync.Pool
	size int
}

func (p *scratches) get() *scratch {
	if s, ok := p.pool.Get().(*scratch); ok {
		return s
	}
	return &scratch{attributes: make([]attribute.KeyValue, p.size), first: make([]trace.SpanStartOption, p.size+1)}
}

func (p *scratches) put(s *scratch) { p.pool.Put(s) }
