package compare_test

import (
	"fmt"
	"strings"
	"testing"

	"tracelab/compare"
	"tracelab/compare/internal/draw"
)

// journeyCases draw which spans belong together. A journey is written ROOT: SPANS | UNREACHED, without a root as -: SPANS.
var journeyCases = []struct {
	why     string
	drawing string
	want    []string
	shared  string
}{
	{"one trace, one root", "S 0-10\n  A 1-9\n    B 2-8", []string{"S: S A B"}, ""},
	{"the earliest of two spans without a parent is the root, the other is a finding", "B 3-9\n  C 4-8\nA 0-10", []string{"A: A | B C"}, ""},
	{"of two that start together the lower id is the root", "B 0-9 id=00000000000000b1\nA 0-10 id=00000000000000a1", []string{"A: A | B"}, ""},
	{"a consumer-side span is no root: a later one is", "C CONSUMER 0-5\nA 3-10", []string{"A: A | C"}, ""},
	{"without an empty parent the earliest orphan is the root", "A 2-10 parent=?\nB 1-9 parent=?\n  D 3-4", []string{"B: B D | A"}, ""},
	{"an empty parent comes before an earlier orphan", "A 0-10 parent=?\nB 5-9", []string{"B: B | A"}, ""},
	{"without either it is rootless: all that is connected with its earliest span", "C CONSUMER 0-10\n  A 1-5\nD CONSUMER 20-30", []string{"-: C A | D"}, ""},
	{"a message to another trace", "S 0-10\n  P PRODUCER 1-2\nC CONSUMER 5-9 link=P trace=2\n  A 6-7", []string{"S: S P C A"}, ""},
	{"a related link joins nothing", "S 0-10\nA 5-9 link=S trace=2", []string{"S: S", "A: A"}, ""},
	{"a batch of two orders belongs to both, and what it caused with it; nobody walks back", "S1 0-10\n  P1 PRODUCER 1-2\nS2 1-11 trace=2\n  P2 PRODUCER 2-3\nW CONSUMER 5-9 link=P1 link=P2 trace=3\n  A 6-7",
		[]string{"S1: S1 P1 W A", "S2: S2 P2 W A"}, ""},
	{"a poll that served two orders is shared, whether parent or not", "S1 0-10\n  P1 PRODUCER 1-2\nS2 1-11 trace=2\n  P2 PRODUCER 2-3\nR CLIENT 2-4 op=receive link=P1 link=P2 trace=3\n  W1 CONSUMER 5-9 link=P1\n  W2 CONSUMER 5-9 link=P2",
		[]string{"S1: S1 P1 W1", "S2: S2 P2 W2"}, "R"},
	{"polls and commits alone are never a journey", "R CLIENT 0-10 op=receive\nK CLIENT 20-21 op=settle trace=2\nR2 CLIENT 3-4 op=receive trace=2", nil, "R R2 K"},
	{"a commit under a process span is shared", "S 0-10\n  P PRODUCER 1-2\n    C CONSUMER 3-9\n      K CLIENT 8-9 op=settle", []string{"S: S P C"}, "K"},
	{"a receive span that a process span is linked to belongs to the journey", "S 0-10\n  P PRODUCER 1-2\nRX CONSUMER 3-4 op=receive link=P trace=2\nW CONSUMER 5-9 op=process link=RX trace=3", []string{"S: S P RX W"}, ""},
	{"a process span whose producer is missing is a rootless journey", "W CONSUMER 5-9 op=process link=?\n  A 6-7", []string{"-: W A"}, ""},
	{"a rootless journey goes over traces, forwards and backwards", "W CONSUMER 5-9 op=process\n  P PRODUCER 6-7\nV CONSUMER 8-12 link=P trace=2\nR CLIENT 3-4 op=receive trace=3\nX CONSUMER 9-9.5 link=R parent=W", []string{"-: R W P V X"}, ""},
	{"a rootless journey never goes back into one with a root", "S 0-10\n  P PRODUCER 1-2\nB CONSUMER 7-9 link=P link=Q trace=2\nW CONSUMER 3-6 op=process trace=3\n  Q PRODUCER 4-5", []string{"S: S P B", "-: W Q B"}, ""},
	{"an orphan in a trace that another root reaches is a finding", "S 0-10\n  P PRODUCER 1-2\nC CONSUMER 5-9 link=P trace=2\nO 6-7 parent=? trace=2", []string{"S: S P C | O"}, ""},
	{"a trace reached from another one is no journey of its own even where that root is an orphan", "O 0-10 parent=?\n  P PRODUCER 1-2\nC CONSUMER 5-9 link=P trace=2", []string{"O: O P C"}, ""},
	{"a settle span is no root", "K CLIENT 0-1 op=settle\nA 5-9", []string{"A: A"}, "K"},
	{"a poll in a trace of polls is no journey, though its edge counts", "S 0-10\n  W CONSUMER 5-9 op=process link=R\nR CLIENT 0-4 op=receive trace=2", []string{"S: S W"}, "R"},
	{"exact duplicates are there once", "A 0-10\n  B 1-9 id=00000000000000b1\n  B 1-9 id=00000000000000b1", []string{"A: A B"}, ""},
	{"journeys come by their start", "B 5-9 trace=2\nA 0-10\nC 7-8 trace=3", []string{"A: A", "B: B", "C: C"}, ""},
	{"a span of kind CLIENT that receives is consumer-side, so no root", "R CLIENT 0-4 op=receive\n  W CONSUMER 5-9 op=process\nA 2-3", []string{"A: A | R W"}, ""},
}

func TestJourneys(t *testing.T) {
	for _, c := range journeyCases {
		t.Run(c.why, func(t *testing.T) {
			set := normalise(t, c.drawing)
			equalLines(t, "journeys", journeys(set), c.want)
			var shared []string
			for i := range compare.Index(set.Len()) {
				if set.Shared(i) {
					shared = append(shared, set.Span(i).Name)
				}
			}
			if got := strings.Join(shared, " "); got != c.shared {
				t.Errorf("shared: %s, want %s", got, c.shared)
			}
		})
	}
}

func journeys(set *compare.Set) []string {
	var list []string
	for _, j := range set.Journeys() {
		line := "-:"
		if root, ok := j.Root(); ok {
			line = set.Span(root).Name + ":"
		}
		for _, i := range j.Spans() {
			line += " " + set.Span(i).Name
		}
		if len(j.Unreached()) > 0 {
			line += " |"
		}
		for _, i := range j.Unreached() {
			line += " " + set.Span(i).Name
		}
		list = append(list, line)
	}
	return list
}

func TestFindJourneys(t *testing.T) {
	set := normalise(t, "S 0-10\n  P PRODUCER 1-2\nT 1-20 trace=3\n  Q PRODUCER 2-3\nC CONSUMER 5-9 link=P link=Q trace=2")
	byName := func(name string) compare.Index {
		for i := range compare.Index(set.Len()) {
			if set.Span(i).Name == name {
				return i
			}
		}
		t.Fatalf("no span %s", name)
		return 0
	}
	s, c := byName("S"), byName("C")
	i, ok := set.Find(set.Span(s).Ref())
	if !ok || i != s {
		t.Errorf("Find gives %d, %v, want %d", i, ok, s)
	}
	if _, ok := set.Find(compare.Ref{Span: set.Span(s).ID}); ok {
		t.Error("Find does not look at the trace id")
	}
	j, ok := set.JourneyFrom(s)
	if !ok || j.Completion() != 10e6 {
		t.Errorf("no journey from its root, or not its own")
	}
	if _, ok := set.JourneyFrom(c); ok {
		t.Error("a journey from a span that is no root")
	}
	if list := set.JourneysOf(set.Span(c).Trace); len(list) != 2 || list[0] != j {
		t.Errorf("trace 2 is in %d journeys", len(list))
	}
	if list := set.JourneysOf(set.Span(byName("T")).Trace); len(list) != 1 || list[0] == j {
		t.Errorf("trace 3 is in %d journeys", len(list))
	}
	if list := set.JourneysOf(compare.TraceID{9}); list != nil {
		t.Errorf("an unknown trace is in %d journeys", len(list))
	}
	if got := fmt.Sprint(len(j.Traces()), j.Traces()[0] == set.Span(s).Trace); got != "2 true" {
		t.Errorf("traces of the journey: %v", j.Traces())
	}
}

// measureCases give caller wait, completion, tail, detached work (sum and union) in ms, depth, hops, message depth.
var measureCases = []struct{ why, drawing, want string }{
	{"a tree of calls: completion is caller wait, though a server runs over", "A CLIENT 0-100\n  B SERVER 10-120\n    C 20-115", "L=100 D=100 T=0 detached=0/0 depth=3,2,0"},
	{"a chain of messages", "s.S 0-10\n  s.P PRODUCER 2-4\nc.C CONSUMER 10-30 link=s.P trace=2\n  c.Q PRODUCER 25-29\nd.D CONSUMER 40-60 link=c.Q trace=3", "L=10 D=60 T=50 detached=44/40 depth=5,2,2"},
	{"work beside each other after the answer: the sum counts it twice, the union once", "S 0-10\n  A 5-30\n  B 8-25\n  C 40-45", "L=10 D=45 T=35 detached=40/25 depth=2,1,0"},
	{"without a root", "C CONSUMER 0-10 op=process\n  A 1-12", "L=- D=12 T=- detached=- depth=2,1,0"},
	{"of two longest chains the one with more hops", "a.S 0-10\n  a.A 1-2\n    a.B 1-2\n  b.A 3-4\n    c.B 3-4", "L=10 D=10 T=0 detached=0/0 depth=3,2,0"},
	{"most messages, though on another chain than most spans", "s.S 0-10\n  s.P PRODUCER 2-4\n    c.C CONSUMER 5-9\n  s.A 1-9\n    s.B 1-9\n      s.D 1-9", "L=10 D=10 T=0 detached=0/0 depth=4,0,1"},
	{"a circle of links has an end", "S 0-10\n  P PRODUCER 2-4\nA CONSUMER 10-20 link=P link=B trace=2 op=process\nB CONSUMER 15-40 link=A trace=3 op=process", "L=10 D=40 T=30 detached=35/30 depth=4,3,2"},
	{"a cause that starts after its effect", "S 0-10\n  P PRODUCER 6-8\n    C CONSUMER 5-9\n      D 5-9", "L=10 D=10 T=0 detached=0/0 depth=4,3,1"},
}

func TestMeasures(t *testing.T) {
	for _, c := range measureCases {
		t.Run(c.why, func(t *testing.T) {
			j := normalise(t, c.drawing).Journeys()[0]
			wait, tail, detached := "-", "-", "-"
			if ns, ok := j.CallerWait(); ok {
				wait = fmt.Sprint(ns / 1e6)
			}
			if ns, ok := j.Tail(); ok {
				tail = fmt.Sprint(ns / 1e6)
			}
			if sum, union, ok := j.Detached(); ok {
				detached = fmt.Sprintf("%d/%d", sum/1e6, union/1e6)
			}
			d := j.Depth()
			got := fmt.Sprintf("L=%s D=%d T=%s detached=%s depth=%d,%d,%d", wait, j.Completion()/1e6, tail, detached, d.Spans, d.Hops, d.Messages)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAsyncShare(t *testing.T) {
	j := normalise(t, "S 0-10\n  P PRODUCER 0-10\n    C CONSUMER 35-40").Journeys()[0]
	if got := j.AsyncShare(); got != 25.0/40 {
		t.Errorf("async share %v, want 25 of 40", got)
	}
	if got := normalise(t, "S 5-5").Journeys()[0].AsyncShare(); got != 0 {
		t.Errorf("async share of nothing is %v", got)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ why, drawing, want string }{
		{"none", "S 0-10\n  A 1-2", "own [] propagated [] absorbed [] silent false"},
		{"handed up to the caller", "S 0-10 error\n  A CLIENT 1-9 error\n    B SERVER 2-8 error", "own [B] propagated [S A] absorbed [] silent false"},
		{"absorbed by a retry", "S 0-10\n  A CLIENT 1-4 error\n  B CLIENT 5-9", "own [A] propagated [] absorbed [S] silent true"},
		{"behind a message: the caller does not know", "S 0-10\n  P PRODUCER 1-2\n    C CONSUMER 5-9 error", "own [C] propagated [] absorbed [] silent true"},
		{"error.type alone is no error", "S 0-10\n  A 1-2 error.type=x", "own [] propagated [] absorbed [] silent false"},
		{"without a root nobody is kept in the dark", "C CONSUMER 5-9 error op=process", "own [C] propagated [] absorbed [] silent false"},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			set := normalise(t, c.drawing)
			e := set.Journeys()[0].Errors()
			got := fmt.Sprintf("own %v propagated %v absorbed %v silent %v", names(set, e.Own), names(set, e.Propagated), names(set, e.Absorbed), e.Silent)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func names(set *compare.Set, list []compare.Index) []string {
	out := []string{}
	for _, i := range list {
		out = append(out, set.Span(i).Name)
	}
	return out
}

// messageCases give PRODUCER>CONSUMER group publish/wait/delivery in ms.
var messageCases = []struct {
	why, drawing string
	want         []string
}{
	{"publish, wait, delivery", "S 0-10\n  P PRODUCER 1-4 topic=t\n    C CONSUMER 9-20 group=g op=process", []string{"P>C t g 3/5/8"}},
	{"delivered before the acknowledgement: negative, flagged, never clipped", "S 0-10\n  P PRODUCER 1-9\n    C CONSUMER 5-20 group=g", []string{"P>C  g 8/-4/4 overlap"}},
	{"each group counts", "S 0-10\n  P PRODUCER 1-4\n    C CONSUMER 9-20 group=g\n    D CONSUMER 8-20 group=h", []string{"P>D  h 3/4/7", "P>C  g 3/5/8"}},
	{"a receive span does not count where its group has a process span", "S 0-10\n  P PRODUCER 1-4\nR CLIENT 5-6 op=receive group=g link=P trace=2\n  V 6-7\nC CONSUMER 9-20 group=g op=process link=P trace=3", []string{"P>C  g 3/5/8"}},
	{"another group's process span does not stand for it", "S 0-10\n  P PRODUCER 1-4\nR CLIENT 5-6 op=receive group=h link=P trace=2\n  V 6-7\nC CONSUMER 9-20 group=g op=process link=P trace=3", []string{"P>R  h 3/1/4", "P>C  g 3/5/8"}},
	{"a process span linked to the receive span only handles what that received", "S 0-10\n  P PRODUCER 1-4\nR CONSUMER 5-6 op=receive group=g link=P trace=2\nW CONSUMER 9-20 op=process group=g link=R trace=3", []string{"P>W  g 3/5/8"}},
	{"one process span for all that a poll received", "S 0-10\n  P PRODUCER 1-4\n  Q PRODUCER 1-5\nR CONSUMER 5-6 op=receive link=P link=Q trace=2 service=c\nW CONSUMER 9-20 op=process link=R trace=3 service=c", []string{"P>W   3/5/8", "Q>W   4/4/8"}},
	{"several process spans for several messages leave it open: the receive span counts", "S 0-10\n  P PRODUCER 1-4\n  Q PRODUCER 1-5\nR CONSUMER 5-6 op=receive link=P link=Q trace=2 service=c\nW CONSUMER 9-20 op=process link=R trace=3 service=c\nV CONSUMER 9-20 op=process link=R trace=4 service=c", []string{"P>R   3/1/4", "Q>R   4/0/4"}},
	{"of a batch only the messages of this journey", "S 0-10\n  P PRODUCER 1-4\nT 1-9 trace=2\n  Q PRODUCER 2-5\nW CONSUMER 9-20 link=P link=Q trace=3", []string{"P>W   3/5/8"}},
	{"from the send span, not from the create span", "S 0-10\n  K PRODUCER 1-1.5 op=create\n  P CLIENT 2-4 op=send link=K\nC CONSUMER 9-20 link=K trace=3", []string{"P>C   2/5/7"}},
	{"a retry is no message of a producer", "S 0-10\n  P PRODUCER 1-4\n    W1 CONSUMER 9-20 op=process\nW2 CONSUMER 30-40 op=process link=W1 trace=2", []string{"P>W1   3/5/8"}},
}

func TestMessages(t *testing.T) {
	for _, c := range messageCases {
		t.Run(c.why, func(t *testing.T) {
			set := normalise(t, c.drawing)
			var got []string
			for _, m := range set.Journeys()[0].Messages() {
				line := fmt.Sprintf("%s>%s %s %s %d/%d/%d", set.Span(m.Producer).Name, set.Span(m.Consumer).Name, m.Topic, m.Group, m.Publish/1e6, m.Wait/1e6, m.Delivery/1e6)
				if m.Overlap {
					line += " overlap"
				}
				got = append(got, line)
			}
			equalLines(t, "messages", got, c.want)
		})
	}
}

func TestFanOutNamesTheMissingGroup(t *testing.T) {
	set := normalise(t, `
		S 0-10
		  P PRODUCER 1-4 topic=t
		    C CONSUMER 9-20 group=g topic=t
		    C2 CONSUMER 21-25 group=g topic=t
		T 0-10 trace=2
		  Q PRODUCER 1-4 topic=t
		    D CONSUMER 9-20 group=h topic=t
		    E CONSUMER 9-20 group=g topic=t
		U 0-10 trace=3
		  R PRODUCER 1-4 topic=t
		  X PRODUCER 1-4 topic=other`)
	want := []string{"P t [{g 2}] [h]", "Q t [{g 1} {h 1}] []", "R t [] [g h]"}
	var got []string
	for _, j := range set.Journeys() {
		for _, f := range j.FanOut() {
			got = append(got, fmt.Sprintf("%s %s %v %v", set.Span(f.Producer).Name, f.Topic, f.Groups, f.Missing))
		}
	}
	equalLines(t, "fan-out", got, want)
}

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
			set := normalise(t, c.drawing)
			var got []string
			for _, j := range set.Journeys() {
				for _, w := range j.Warnings() {
					i, _ := set.Find(w.Span)
					name := "B" // has no id, or one that A has
					if w.Rule != "D02" && w.Rule != "D08" {
						name = set.Span(i).Name
					}
					got = append(got, w.Rule+" "+name)
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
	set := normalise(t, "R1 CONSUMER 0-10 op=receive link=R2\nR2 CONSUMER 0-10 op=receive link=R1 trace=2\nS CONSUMER 0-10 trace=3 op=process link=R2\n  W 1-9")
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
	set := compare.Normalise(spans)
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
	j := compare.Normalise(spans).Journeys()[0]
	if want := int64(1<<62 - draw.Base); j.Completion() != want || len(j.Warnings()) != 1 {
		t.Errorf("completion %d, want %d; warnings %v", j.Completion(), want, j.Warnings())
	}
}
