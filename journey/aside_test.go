package journey_test

import (
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// A span that stands aside is the cause of a batch that waits for it, and neither roots a journey nor is one that none reached.
func TestAside(t *testing.T) {
	spans := newSet(t, `
		a.S SERVER 0-20
		  a.P PRODUCER 10-15
		b.P PRODUCER 30-40 trace=2
		c.W CONSUMER 60-80 op=process link=a.P link=b.P trace=3`)
	list := make([]journey.Span, spans.Len())
	for i := range list {
		list[i] = *spans.Span(journey.Index(i))
	}
	if n := len(journey.NewSet(list).Journeys()); n != 2 {
		t.Fatalf("%d journeys, want 2", n)
	}
	set := journey.NewSet(list, journey.Aside(func(s *journey.Span) bool { return s.Service == "b" }))
	if n := len(set.Journeys()); n != 1 {
		t.Fatalf("%d journeys with b aside, want 1", n)
	}
	j := set.Journeys()[0]
	equalLines(t, "completion path", []string{draw.Path(set, j.CompletionPath())}, []string{"a.S[0,10] a.P[10,15] ~batch[15,40] ~message[40,60] c.W[60,80]"})
	if len(j.Unreached()) != 0 {
		t.Errorf("unreached: %v", j.Unreached())
	}
}

// What is left of another trace seems to start a journey that reaches the trace of the only root first, whose parent is lost.
func TestOnly(t *testing.T) {
	spans := newSet(t, `
		a.S SERVER 5-20 parent=?
		b.S SERVER 1-50 trace=2
		  b.P PRODUCER 32-35
		a.W CONSUMER 60-80 op=process link=b.P`)
	list := make([]journey.Span, spans.Len())
	var root journey.Ref
	for i := range list {
		list[i] = *spans.Span(journey.Index(i))
		if list[i].Name == "a.S" {
			root = list[i].Ref()
		}
	}
	if i, _ := spans.Find(root); len(spans.Journeys()) != 1 || spans.Journeys()[0].Contains(i) {
		t.Fatal("want one journey, which starts in trace 2 and reaches trace 1")
	}
	for _, j := range journey.NewSet(list, journey.Only(root.Trace)).Journeys() {
		if i, ok := j.Root(); ok && j.Set().Span(i).Ref() == root {
			return
		}
	}
	t.Error("no journey starts at a.S")
}
