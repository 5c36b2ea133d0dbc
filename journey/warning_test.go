package journey_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

func TestWarnings(t *testing.T) {
	tests := []struct {
		why, drawing string
		want         []string
	}{
		{"nothing wrong", "S 0-10\n  A 1-9", nil},
		{"exact duplicates", "A 0-9 id=00000000000000aa\nA 0-9 id=00000000000000aa\nA 0-9 id=00000000000000aa", []string{"D01 A"}},
		{"one id for two spans", "A 0-9 id=00000000000000aa\nB 1-9 id=00000000000000aa", []string{"D02 B", "P02 A"}},
		{"ends before it starts", "A 9-2", []string{"D03 A"}},
		{"a cycle", "A 0-9 parent=B\nB 1-8 parent=A", []string{"D04 A"}},
		{"a server that runs over", "A CLIENT 0-10\n  B SERVER 1-12", []string{"D05 B"}},
		{"no warning within the tolerance", "A CLIENT 0-10\n  B SERVER 1-11", nil},
		{"nothing explains the beginning", "C CONSUMER 0-30 op=process\n  P PRODUCER 5-10\nD CONSUMER 40-90 link=P link=Q trace=2\nE CONSUMER 2-50 op=process trace=3\n  Q PRODUCER 20-35", []string{"P02 C", "D06 E"}},
		{"no id", "A 0-10\nB 1-2 id=0000000000000000", []string{"D08 B", "P02 A"}},
		{"a missing parent", "A 0-10 parent=?", []string{"P01 A"}},
		{"a missing link", "A 0-10\n  B 2-3 link=?", []string{"P04 B"}},
		{"no root", "C CONSUMER 0-10 op=process", []string{"P02 C"}},
		{"not reached", "A 0-10\nB 2-3", []string{"P02 A"}},
		{"a consumer before its producer", "S 0-10\n  P PRODUCER 5-6\n    C CONSUMER 4-9", []string{"P10 C"}},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			var got []string
			for _, j := range set.Journeys() {
				for _, w := range j.Warnings() {
					i, _ := set.Find(w.Span)
					name := "B" // has no id, or one that A has
					if w.Rule != "D02" && w.Rule != "D08" {
						name = set.Span(i).Name
					}
					got = append(got, string(w.Rule)+" "+name)
					if w.Text == "" || strings.ContainsAny(w.Text, "\n") {
						t.Errorf("text of %s: %q", w.Rule, w.Text)
					}
				}
			}
			equalLines(t, "warnings", got, c.want)
		})
	}
}

// Polls that are linked in a circle, each as long as the other, would call each other for ever.
func TestCallersByLinkInACircle(t *testing.T) {
	set := newSet(t, "R1 CONSUMER 0-10 op=receive link=R2\nR2 CONSUMER 0-10 op=receive link=R1 trace=2\nS CONSUMER 0-10 trace=3 op=process link=R2\n  W 1-9")
	if w := set.Warnings(); len(w) != 1 || w[0].Rule != "D10" {
		t.Errorf("warnings %v, want one of rule D10", w)
	}
	equalLines(t, "journeys", journeys(set), []string{"-: R1 R2 S W"})
	equalLines(t, "path", []string{draw.Path(set, set.Journeys()[0].CompletionPath())}, []string{"S[0,1] W[1,9] S[9,10]"})
}

// A time before 1970 or after 2116 is clamped, so that nothing overflows.
func TestTimesOutOfRange(t *testing.T) {
	spans, err := draw.Spans("A 0-10\n  B 2-3")
	if err != nil {
		t.Fatal(err)
	}
	spans[0].Start, spans[0].End = -1<<63, 1<<63-1
	set := journey.NewSet(spans)
	j := set.Journeys()[0]
	if w := set.Warnings(); len(w) != 1 || w[0].Rule != "D07" {
		t.Errorf("warnings %v", w)
	}
	if wait, _ := j.CallerWait(); wait != 1<<62 {
		t.Errorf("caller wait %d", wait)
	}
	if path := j.ResponsePath(); len(path) != 3 || path[2].End != 1<<62 {
		t.Errorf("response path %v", path)
	}
}

// Nor do differences with a time that is out of range at its start.
func TestStartOutOfRange(t *testing.T) {
	spans, err := draw.Spans("A 0-10\n  B 2-3")
	if err != nil {
		t.Fatal(err)
	}
	spans[1].Start, spans[1].End = 1<<63-6, 1<<63-1
	j := journey.NewSet(spans).Journeys()[0]
	if want := time.Duration(1<<62 - draw.Base); j.Completion() != want || len(j.Warnings()) != 1 {
		t.Errorf("completion %d, want %d; warnings %v", j.Completion(), want, j.Warnings())
	}
}

// A batch whose links lead nowhere makes some warnings and a count, however many links it has.
func TestManyWarningsOfOneKind(t *testing.T) {
	const links = 100_000
	spans, err := draw.Spans("S 0-10\n  B CONSUMER 1-9 op=process\n  O 2-3 parent=?")
	if err != nil {
		t.Fatal(err)
	}
	for i := range links {
		spans[1].Links = append(spans[1].Links, journey.Link{Ref: journey.Ref{Trace: journey.TraceID{9}, Span: journey.SpanID{1, byte(i >> 16), byte(i >> 8), byte(i)}}})
	}
	set := journey.NewSet(spans)
	for what, list := range map[string][]journey.Warning{"set": set.Warnings(), "journey": set.Journeys()[0].Warnings()} {
		counts := map[journey.RuleID]int{}
		for _, w := range list {
			counts[w.Rule] += 1 + w.More
		}
		if len(list) > 110 || counts[journey.RuleLinkTarget] != links || counts[journey.RuleOrphan] != 1 {
			t.Errorf("%s: %d warnings, which stand for %v", what, len(list), counts)
		}
		last := list[slices.IndexFunc(list, func(w journey.Warning) bool { return w.More > 0 })]
		if !strings.HasSuffix(last.Text, "; and 99900 more warnings of this kind") {
			t.Errorf("%s: %q", what, last.Text)
		}
	}
}
