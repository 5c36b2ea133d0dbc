package watch

import (
	"bytes"
	"os"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/testkit"
)

// TestJourneysOfTheLab has a watcher judge what the lab's services sent: messages by link, batches, spans that are missing, retries and replies. Each
// span comes alone, in any order.
func TestJourneysOfTheLab(t *testing.T) {
	for _, name := range testkit.Few(2, []string{"hard-to-follow", "batch-log", "duplicates", "retry-storm", "reply", "poison"}) {
		document, err := os.ReadFile("../docs/claims/" + name + ".otlp.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		inGroup(t, func(g *group) {
			s := newStream(g)
			s.document(document)
			if sums := s.finish(); sums.Traces.Judged+sums.Traces.Incomplete == 0 {
				t.Errorf("%s: the sums are %s", name, sums)
			}
		})
	}
}

// document sends the spans of OTLP/JSON lines, each in a record of its own.
func (s *stream) document(lines []byte) {
	var all []ptrace.Traces
	for line := range bytes.Lines(lines) {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(bytes.TrimSpace(line))
		s.g.must(err)
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					one := ptrace.NewTraces()
					of := one.ResourceSpans().AppendEmpty()
					resource.Resource().CopyTo(of.Resource())
					in := of.ScopeSpans().AppendEmpty()
					scope.Scope().CopyTo(in.Scope())
					span.CopyTo(in.Spans().AppendEmpty())
					all = append(all, one)
				}
			}
		}
	}
	s.batch(all)
}
