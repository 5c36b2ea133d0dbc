package lab

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/lab/rundir"
)

// unresolvedLimit is how many shared spans may wait for the spans that they refer to.
const unresolvedLimit = 10_000

// sharedSpans are the spans that say of no order: they serve several or none, such as polls and commits, or what says it was lost on the way to them. One
// that has to do with spans of other runs, or of the warm-up, alone is left out.
type sharedSpans struct {
	traces     map[pcommon.TraceID]struct{} // of the run's spans
	linked     map[pcommon.SpanID]struct{}  // the run's spans that a poll may link to
	unresolved []ptrace.Traces              // of one span each, of which it is not known yet whether it serves the run
	ready      ptrace.Traces                // to be written
	scope      ptrace.ScopeSpans            // of the newest span in ready, as it came
	spans      ptrace.SpanSlice             // where that span is
	count      int                          // written or to be written
	leftOut    bool                         // none are kept: there is no run directory to write them to
}

func newSharedSpans() sharedSpans {
	return sharedSpans{traces: map[pcommon.TraceID]struct{}{}, linked: map[pcommon.SpanID]struct{}{}, ready: ptrace.NewTraces()}
}

// note remembers a span of the run by what others may say of it: that they are of its trace, or, of one about a message, that they link to it.
func (s *sharedSpans) note(span ptrace.Span) {
	if s.leftOut {
		return
	}
	s.traces[span.TraceID()] = struct{}{}
	if span.Kind() == ptrace.SpanKindConsumer || span.Kind() == ptrace.SpanKindServer {
		return
	}
	if _, ok := span.Attributes().Get("messaging.system"); ok {
		s.linked[span.SpanID()] = struct{}{}
	}
}

// add takes a span that carries no order.
func (s *sharedSpans) add(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans, span ptrace.Span) {
	if s.leftOut {
		return
	}
	if s.servesTheRun(span) {
		if scope != s.scope {
			s.scope, s.spans = scope, copyScope(resource, scope, s.ready)
		}
		s.note(span)
		span.MoveTo(s.spans.AppendEmpty())
		s.count++
		return
	}
	one := ptrace.NewTraces()
	span.MoveTo(copyScope(resource, scope, one).AppendEmpty())
	s.unresolved = append(s.unresolved, one)
}

// servesTheRun tells whether a span is of a trace of the run, links to one of its spans, or refers to nothing at all.
func (s *sharedSpans) servesTheRun(span ptrace.Span) bool {
	if _, ok := s.traces[span.TraceID()]; ok {
		return true
	}
	for _, link := range span.Links().All() {
		if _, ok := s.linked[link.SpanID()]; ok {
			return true
		}
	}
	return span.ParentSpanID().IsEmpty() && span.Links().Len() == 0
}

// resolve makes ready what is known to serve the run by now. It reports false when there was none: what became ready may let others be so.
func (s *sharedSpans) resolve() bool {
	waiting := s.unresolved[:0]
	for _, one := range s.unresolved {
		span := one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		if !s.servesTheRun(span) {
			waiting = append(waiting, one)
			continue
		}
		s.note(span)
		one.ResourceSpans().MoveAndAppendTo(s.ready.ResourceSpans())
		s.count++
	}
	some := len(waiting) < len(s.unresolved)
	clear(s.unresolved[len(waiting):])
	s.unresolved = waiting
	return some
}

// write appends the spans that are known to serve the run to its directory. The others wait: what they refer to may come later. When too many wait the
// oldest are left out.
func (s *sharedSpans) write(out *rundir.Writer) error {
	for s.resolve() {
	}
	if tooMany := len(s.unresolved) - unresolvedLimit; tooMany > 0 {
		s.unresolved = append([]ptrace.Traces(nil), s.unresolved[tooMany:]...)
	}
	if s.ready.ResourceSpans().Len() == 0 {
		return nil
	}
	document, err := (&ptrace.JSONMarshaler{}).MarshalTraces(s.ready)
	if err != nil {
		return fmt.Errorf("encode shared spans: %w", err)
	}
	s.ready, s.scope = ptrace.NewTraces(), ptrace.ScopeSpans{}
	_, err = out.Append(rundir.Shared, document)
	return err
}
