package journey_test

import (
	"fmt"
	"strings"
	"testing"

	"tracelab/journey"
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
	{"a poll that served two orders is shared, whether parent or not", "S1 0-10\n  P1 PRODUCER 1-2\nS2 1-11 trace=2\n  P2 PRODUCER 2-3\nR CLIENT 2-4 op=receive link=P1 link=P2 trace=3\n  W1 CONSUMER 5-9 link=P1 service=R\n  W2 CONSUMER 5-9 link=P2 service=R",
		[]string{"S1: S1 P1 W1", "S2: S2 P2 W2"}, "R"},
	{"a receive span alone that stands for the handling is in the journey", "S 0-10\n  P PRODUCER 1-2\nR CONSUMER 5-9 op=receive link=P trace=2", []string{"S: S P R"}, ""},
	{"a worker's loop roots no journey", "S 0-10\n  P PRODUCER 1-2\nL 0-90 trace=2\n  W CONSUMER 5-9 link=P service=L\n  X 10-20 service=L", []string{"S: S P W"}, "L X"},
	{"a loop whose poll lost its message to a handler elsewhere", "S 0-10\n  P PRODUCER 1-2\nL 0-90 trace=2\n  R CLIENT 1-4 op=receive link=P service=L\nW CONSUMER 5-9 link=P service=L trace=3", []string{"S: S P W"}, "L R"},
	{"a span that handles its own messages below it is no loop", "L 0-90\n  P PRODUCER 1-2\n  W CONSUMER 5-9 link=P service=L", []string{"L: L P W"}, ""},
	{"what a request calls is no loop", "S SERVER 0-10\n  P PRODUCER 1-2\nL SERVER 0-90 trace=2\n  W CONSUMER 5-9 link=P service=L", []string{"S: S P W", "L: L W"}, ""},
	{"a retry widens no journey", "S1 0-10\n  P1 PRODUCER 1-2\nS2 1-11 trace=2\n  P2 PRODUCER 2-3\nW CONSUMER 5-9 link=P1 link=P2 error trace=3 group=g service=w\nV CONSUMER 15-19 link=P1 trace=4 group=g service=w", []string{"S1: S1 P1 W V", "S2: S2 P2 W"}, ""},
	{"an outbox: what was created leads to what sends it", "S 0-10\n  K PRODUCER 1-2 op=create\nL 0-90 trace=2\n  P CLIENT 20-22 op=send link=K service=L\nW CONSUMER 25-29 link=K trace=3", []string{"S: S K P W", "L: L P W"}, ""},
	{"polls and commits alone are never a journey", "R CLIENT 0-10 op=receive\nK CLIENT 20-21 op=settle trace=2\nR2 CLIENT 3-4 op=receive trace=2", nil, "R R2 K"},
	{"a commit under a process span is shared", "S 0-10\n  P PRODUCER 1-2\n    C CONSUMER 3-9\n      K CLIENT 8-9 op=settle", []string{"S: S P C"}, "K"},
	{"a commit below a batch is shared, whatever it links to", "S1 0-10\n  P1 PRODUCER 1-2\nS2 1-11 trace=2\n  P2 PRODUCER 2-3\nW CONSUMER 5-9 link=P1 link=P2 trace=3\n  K CLIENT 8-9 op=settle link=P1", []string{"S1: S1 P1 W", "S2: S2 P2 W"}, "K"},
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
			set := newSet(t, c.drawing)
			equalLines(t, "journeys", journeys(set), c.want)
			var shared []string
			for i := range journey.Index(set.Len()) {
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

func journeys(set *journey.Set) []string {
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
	set := newSet(t, "S 0-10\n  P PRODUCER 1-2\nT 1-20 trace=3\n  Q PRODUCER 2-3\nC CONSUMER 5-9 link=P link=Q trace=2")
	byName := func(name string) journey.Index {
		for i := range journey.Index(set.Len()) {
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
	if _, ok := set.Find(journey.Ref{Span: set.Span(s).ID}); ok {
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
	if list := set.JourneysOf(journey.TraceID{9}); list != nil {
		t.Errorf("an unknown trace is in %d journeys", len(list))
	}
	if got := fmt.Sprint(len(j.Traces()), j.Traces()[0] == set.Span(s).Trace); got != "2 true" {
		t.Errorf("traces of the journey: %v", j.Traces())
	}
}
