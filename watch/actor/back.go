package actor

import (
	"bytes"
	"slices"

	"tracelab/journey"
	"tracelab/watch/record"
)

// back is what a trace took back of what it gave.
type back struct {
	version uint64
	spans   []journey.SpanID
}

// takeBack keeps which of the spans that a trace gave count no more, as the highest version says.
func (p *Partition) takeBack(t *trace, r record.Record) (news bool) {
	b, known := t.back.get(r.From)
	if !known && !r.More {
		return false
	}
	if !known {
		b = new(back)
		p.grow(t, backBytes)
		t.back.put(r.From, b)
	}
	spans := r.Back
	switch {
	case r.Version < b.version:
		return false
	case r.Version == b.version: // of two lives of its actor
		spans = slices.Concat(spans, b.spans)
		slices.SortFunc(spans, compareIDs)
		spans = slices.Compact(spans)
	}
	news = !slices.Equal(spans, b.spans)
	b.version, b.spans = r.Version, spans
	return news
}

func compareIDs(a, b journey.SpanID) int { return bytes.Compare(a[:], b[:]) }

// tookBack reports whether a span that was given is taken back.
func (t *trace) tookBack(r journey.Ref) bool {
	b, known := t.back.get(r.Trace)
	return known && slices.Contains(b.spans, r.Span)
}

// neededBy returns a function that reports whether a stub came with one of these spans, as stubsOf gives them and tell answers, and not only with spans
// that were taken back.
func neededBy(spans []journey.Span) func(*journey.Span) bool {
	named, received := make(map[journey.Ref]bool), make(map[journey.Ref]bool)
	for i := range spans {
		s := &spans[i]
		named[s.Ref()] = true
		for _, ref := range namedBy(s) {
			named[ref] = true
			received[ref] = received[ref] || isReceive(s)
		}
	}
	return func(x *journey.Span) bool {
		return named[x.Ref()] || slices.ContainsFunc(namedBy(x), func(r journey.Ref) bool {
			return named[r] && isSend(x) || received[r] && !isReceive(x)
		})
	}
}

// namedBy returns the parent of a span and what it links to.
func namedBy(s *journey.Span) (list []journey.Ref) {
	if !s.Parent.IsZero() {
		list = append(list, journey.Ref{Trace: s.Trace, Span: s.Parent})
	}
	for _, l := range s.Links {
		list = append(list, l.Ref)
	}
	return list
}
