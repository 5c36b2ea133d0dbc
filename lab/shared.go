package lab

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/lab/rundir"
)

// unresolvedLimit is how many shared spans may wait for the spans that they link to.
const unresolvedLimit = 10_000

// sharedSpans are the spans that serve several orders or none, such as polls and commits. One whose links all lead to
// spans of other runs, or of the warm-up, is left out: it has served only those.
type sharedSpans struct {
	linked     map[pcommon.SpanID]struct{} // the run's own spans that a poll may link to
	unresolved []ptrace.Traces             // of one span each, whose links lead to no span that is known
	ready      ptrace.Traces               // to be written
	scope      ptrace.ScopeSpans           // of the newest span in ready, as it came
	spans      ptrace.SpanSlice            // where that span is
	count      int                         // written or to be written
	feed       string                      // topic of the updates of the view that a form reads; "" without one
	leftOut    bool                        // none are kept: there is no run directory to write them to
}

func newSharedSpans() sharedSpans {
	return sharedSpans{linked: map[pcommon.SpanID]struct{}{}, ready: ptrace.NewTraces()}
}

// note remembers a span of an order when a poll may link to it: one that is about a message.
func (s *sharedSpans) note(span ptrace.Span) {
	if s.leftOut || span.Kind() == ptrace.SpanKindConsumer || span.Kind() == ptrace.SpanKindServer {
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
		if s.isUpdate(span) { // who receives it serves the run, too
			s.note(span)
		}
		span.MoveTo(s.spans.AppendEmpty())
		s.count++
		return
	}
	one := ptrace.NewTraces()
	span.MoveTo(copyScope(resource, scope, one).AppendEmpty())
	s.unresolved = append(s.unresolved, one)
}

// isUpdate tells whether a span is about an update of the view.
func (s *sharedSpans) isUpdate(span ptrace.Span) bool {
	if s.feed == "" {
		return false
	}
	for _, key := range []string{"messaging.destination.template", "messaging.destination.name"} {
		if topic, ok := span.Attributes().Get(key); ok {
			return topic.AsString() == s.feed
		}
	}
	return false
}

// servesTheRun tells whether a span has no links, or one that leads to a span of the run.
func (s *sharedSpans) servesTheRun(span ptrace.Span) bool {
	for _, link := range span.Links().All() {
		if _, ok := s.linked[link.SpanID()]; ok {
			return true
		}
	}
	return span.Links().Len() == 0
}

// write appends the spans that are known to serve the run to its directory. The others wait: what they link to may come
// later. When too many wait the oldest are left out.
func (s *sharedSpans) write(out *rundir.Writer) error {
	waiting := s.unresolved[:0]
	for _, one := range s.unresolved {
		if !s.servesTheRun(one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)) {
			waiting = append(waiting, one)
			continue
		}
		one.ResourceSpans().MoveAndAppendTo(s.ready.ResourceSpans())
		s.count++
	}
	clear(s.unresolved[len(waiting):])
	s.unresolved = waiting
	if tooMany := len(waiting) - unresolvedLimit; tooMany > 0 {
		s.unresolved = append([]ptrace.Traces(nil), waiting[tooMany:]...)
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
