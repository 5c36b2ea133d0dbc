package journey_test

import (
	"fmt"
	"testing"

	"tracelab/journey"
)

// measureCases give caller wait, completion, tail, detached work (sum and union) in ms, depth, hops, message depth.
var measureCases = []struct{ why, drawing, want string }{
	{"a tree of calls: completion is caller wait, though a server runs over", "A CLIENT 0-100\n  B SERVER 10-120\n    C 20-115", "L=100 D=100 T=0 detached=0/0 depth=3,2,0"},
	{"a chain of messages", "s.S 0-10\n  s.P PRODUCER 2-4\nc.C CONSUMER 10-30 link=s.P trace=2\n  c.Q PRODUCER 25-29\nd.D CONSUMER 40-60 link=c.Q trace=3", "L=10 D=60 T=50 detached=44/40 depth=5,2,2"},
	{"work beside each other after the answer: the sum counts it twice, the union once", "S 0-10\n  A 5-30\n  B 8-25\n  C 40-45", "L=10 D=45 T=35 detached=40/25 depth=2,1,0"},
	{"without a root", "C CONSUMER 0-10 op=process\n  A 1-12", "L=- D=12 T=- detached=- depth=2,1,0"},
	{"of two longest chains the one with more hops", "a.S 0-10\n  a.A 1-2\n    a.B 1-2\n  b.A 3-4\n    c.B 3-4", "L=10 D=10 T=0 detached=0/0 depth=3,2,0"},
	{"most messages, though on another chain than most spans", "s.S 0-10\n  s.P PRODUCER 2-4\n    c.C CONSUMER 5-9\n  s.A 1-9\n    s.B 1-9\n      s.D 1-9", "L=10 D=10 T=0 detached=0/0 depth=4,0,1"},
	{"a circle of links has an end", "S 0-10\n  P PRODUCER 2-4\nA CONSUMER 10-10.4 link=P link=B trace=2 op=process\nB CONSUMER 10.3-10.6 link=A trace=3 op=process", "L=10 D=10 T=0 detached=0/0 depth=4,3,2"},
	{"a server runs on after its client, and calls when that had ended: its call counts nothing", "a.S 0-10\n  a.D CLIENT 12-15\n    b.E SERVER 14-50\n      b.F 30-40", "L=10 D=15 T=5 detached=4/3 depth=4,1,0"},
	{"a cause that starts after its effect", "S 0-10\n  P PRODUCER 6-8\n    C CONSUMER 5-9\n      D 5-9", "L=10 D=10 T=0 detached=0/0 depth=4,3,1"},
}

func TestMeasures(t *testing.T) {
	for _, c := range measureCases {
		t.Run(c.why, func(t *testing.T) {
			j := newSet(t, c.drawing).Journeys()[0]
			wait, tail, detached := "-", "-", "-"
			if d, ok := j.CallerWait(); ok {
				wait = fmt.Sprint(d.Milliseconds())
			}
			if d, ok := j.Tail(); ok {
				tail = fmt.Sprint(d.Milliseconds())
			}
			if sum, union, ok := j.Detached(); ok {
				detached = fmt.Sprintf("%d/%d", sum.Milliseconds(), union.Milliseconds())
			}
			d := j.Depth()
			got := fmt.Sprintf("L=%s D=%d T=%s detached=%s depth=%d,%d,%d", wait, j.Completion().Milliseconds(), tail, detached, d.Spans, d.Hops, d.Messages)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAsyncShare(t *testing.T) {
	j := newSet(t, "S 0-10\n  P PRODUCER 0-10\n    C CONSUMER 35-40").Journeys()[0]
	if got := j.AsyncShare(); got != 25.0/40 {
		t.Errorf("async share %v, want 25 of 40", got)
	}
	if got := newSet(t, "S 5-5").Journeys()[0].AsyncShare(); got != 0 {
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
			set := newSet(t, c.drawing)
			e := set.Journeys()[0].Errors()
			got := fmt.Sprintf("own %v propagated %v absorbed %v silent %v", names(set, e.Own), names(set, e.Propagated), names(set, e.Absorbed), e.Silent)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func names(set *journey.Set, list []journey.Index) []string {
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
	{"the topic by its template, whose name is the same in each run", "S 0-10\n  P PRODUCER 1-4 topic=run7.t messaging.destination.template=t\n    C CONSUMER 9-20 group=g op=process", []string{"P>C t g 3/5/8"}},
	{"attributes by their names up to 1.24", "S 0-10\n  P PRODUCER 1-4 messaging.operation=publish messaging.destination=t\n    C CONSUMER 9-20 messaging.kafka.consumer.group=g messaging.operation=process", []string{"P>C t g 3/5/8"}},
	{"a consumer's topic by its name up to 1.20", "S 0-10\n  P PRODUCER 1-4\n    C CONSUMER 9-20 messaging.source.name=t messaging.operation=process", []string{"P>C t  3/5/8"}},
	{"each group counts", "S 0-10\n  P PRODUCER 1-4\n    C CONSUMER 9-20 group=g\n    D CONSUMER 8-20 group=h", []string{"P>D  h 3/4/7", "P>C  g 3/5/8"}},
	{"a receive span does not count where its group has a process span", "S 0-10\n  P PRODUCER 1-4\nR CLIENT 5-6 op=receive group=g link=P trace=2\n  V 6-7\nC CONSUMER 9-20 group=g op=process link=P trace=3 service=R", []string{"P>C  g 3/5/8"}},
	{"another group's process span does not stand for it", "S 0-10\n  P PRODUCER 1-4\nR CLIENT 5-6 op=receive group=h link=P trace=2\n  V 6-7\nC CONSUMER 9-20 group=g op=process link=P trace=3", []string{"P>R  h 3/1/4", "P>C  g 3/5/8"}},
	{"a process span linked to the receive span only handles what that received", "S 0-10\n  P PRODUCER 1-4\nR CONSUMER 5-6 op=receive group=g link=P trace=2\nW CONSUMER 9-20 op=process group=g link=R trace=3 service=R", []string{"P>W  g 3/5/8"}},
	{"one process span for all that a poll received", "S 0-10\n  P PRODUCER 1-4\n  Q PRODUCER 1-5\nR CONSUMER 5-6 op=receive link=P link=Q trace=2 service=c\nW CONSUMER 9-20 op=process link=R trace=3 service=c", []string{"P>W   3/5/8", "Q>W   4/4/8"}},
	{"several process spans for several messages leave it open: the receive span counts", "S 0-10\n  P PRODUCER 1-4\n  Q PRODUCER 1-5\nR CONSUMER 5-6 op=receive link=P link=Q trace=2 service=c\nW CONSUMER 9-20 op=process link=R trace=3 service=c\nV CONSUMER 9-20 op=process link=R trace=4 service=c", []string{"P>R   3/1/4", "Q>R   4/0/4"}},
	{"of a batch only the messages of this journey", "S 0-10\n  P PRODUCER 1-4\nT 1-9 trace=2\n  Q PRODUCER 2-5\nW CONSUMER 9-20 link=P link=Q trace=3", []string{"P>W   3/5/8"}},
	{"from the send span, not from the create span", "S 0-10\n  K PRODUCER 1-1.5 op=create\n  P CLIENT 2-4 op=send link=K\nC CONSUMER 9-20 link=K trace=3", []string{"P>C   2/5/7"}},
	{"a receive span alone is a delivery", "S 0-20\n  P PRODUCER 5-8\nR CONSUMER 30-80 op=receive link=P trace=2", []string{"P>R   3/22/25"}},
	{"a receive span that encloses the handling is where it arrived", "S 0-20\n  P PRODUCER 5-8\n    c.R CONSUMER 30-80 op=receive\n      c.W CONSUMER 31-79 op=process", []string{"P>c.R   3/22/25"}},
	{"a poll opened before the message was sent: arrived at its end", "S 0-60\n  P PRODUCER 40-50\nR CONSUMER -4990-100 op=receive link=P trace=2", []string{"P>R   10/50/60"}},
	{"a poll opened before the message was sent: arrived at the first work after that", "S 0-60\n  P PRODUCER 40-50\nR CONSUMER -4990-100 op=receive link=P trace=2\n  A -10-5\n  B 70-90", []string{"P>R   10/20/30"}},
	{"a handler of any kind, told by its parent", "S 0-20\n  P PRODUCER 5-8\n    c.R CONSUMER 30-31 op=receive\n    c.H 32-80", []string{"P>c.H   3/24/27"}},
	{"what was created is not delivered to what sent it", "S 0-20\n  K PRODUCER 1-2 op=create\n  P CLIENT 5-8 op=send link=K\nC CONSUMER 10-11 link=K trace=2", []string{"P>C   3/2/5"}},
	{"a retry is no message of a producer", "S 0-10\n  P PRODUCER 1-4\n    W1 CONSUMER 9-20 op=process\nW2 CONSUMER 30-40 op=process link=W1 trace=2", []string{"P>W1   3/5/8"}},
}

func TestMessages(t *testing.T) {
	for _, c := range messageCases {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
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
	set := newSet(t, `
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
