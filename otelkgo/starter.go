package otelkgo

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// maxStartAttributes is more than any single-record span starts with.
const maxStartAttributes = 16

// starter starts spans of single records. The tracing API copies the
// attributes and links of its options when it applies them, so one set of
// options over one array of attributes serves any number of spans, one after
// the other: only the contents change. That saves seven allocations a record.
type starter struct {
	attributes [maxStartAttributes]attribute.KeyValue
	n          int
	links      [2]trace.Link
	linked     int
	options    []trace.SpanStartOption

	// withAttributes[n] and withLinks[n] are the options over the first n.
	withAttributes [maxStartAttributes + 1]trace.SpanStartOption
	withLinks      [3]trace.SpanStartOption
}

func newStarter() *starter {
	s := &starter{options: make([]trace.SpanStartOption, 0, 4)}
	for n := range s.withAttributes {
		s.withAttributes[n] = trace.WithAttributes(s.attributes[:n]...)
	}
	for n := range s.withLinks {
		s.withLinks[n] = trace.WithLinks(s.links[:n]...)
	}
	return s
}

// starters is the pool of an Instrumentation.
type starters struct{ pool sync.Pool }

func (p *starters) get() *starter {
	s, ok := p.pool.Get().(*starter)
	if !ok {
		s = newStarter()
	}
	return s
}

// add adds attributes; there must be room for them.
func (s *starter) add(attrs ...attribute.KeyValue) {
	s.n += copy(s.attributes[s.n:], attrs)
}

// link adds a link, if sc is valid.
func (s *starter) link(sc trace.SpanContext) {
	if sc.IsValid() {
		s.links[s.linked] = trace.Link{SpanContext: sc}
		s.linked++
	}
}

// start starts a span with what was added, and gives s back to the pool.
func (in *Instrumentation) start(ctx context.Context, s *starter, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	s.options = append(append(s.options, options...), s.withAttributes[s.n])
	if s.linked > 0 {
		s.options = append(s.options, s.withLinks[s.linked])
	}
	ctx, span := in.tracer.Start(ctx, name, s.options...)
	clear(s.attributes[:s.n])
	clear(s.links[:s.linked])
	s.options, s.n, s.linked = s.options[:0], 0, 0
	in.starters.pool.Put(s)
	return ctx, span
}
