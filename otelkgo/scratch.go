package otelkgo

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// maxSpanAttributes is how many attributes a span over one record can have:
// those of newOperation, partition and offset, and those of messageAttributes.
const maxSpanAttributes = 8 + 2 + 4

// scratch is where the attributes of one span are put together. The tracing API
// copies them, so one scratch serves many spans, one after the other.
type scratch struct {
	attributes [maxSpanAttributes]attribute.KeyValue
	// first are options with the first n attributes, made when first needed:
	// as they refer to the array, they hold for whatever stands in it.
	first   [maxSpanAttributes + 1]trace.SpanStartOption
	options [2]trace.SpanStartOption
}

// startOptions returns the options of a span of this kind with the first n attributes.
func (s *scratch) startOptions(kind trace.SpanStartOption, n int) []trace.SpanStartOption {
	if s.first[n] == nil {
		s.first[n] = trace.WithAttributes(s.attributes[:n]...)
	}
	s.options = [...]trace.SpanStartOption{kind, s.first[n]}
	return s.options[:]
}

// scratches are those that no span uses at the moment.
type scratches struct{ pool sync.Pool }

func (p *scratches) get() *scratch {
	if s, ok := p.pool.Get().(*scratch); ok {
		return s
	}
	return &scratch{}
}

func (p *scratches) put(s *scratch) { p.pool.Put(s) }
