package journey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

func TestIncomplete(t *testing.T) {
	many := func(n int, of string) string {
		var b strings.Builder
		for k := range n {
			fmt.Fprintf(&b, "w.S%d SERVER 0-9 trace=%d\n  w.P%d PRODUCER 1-2 topic=t\n    c.C%d CONSUMER 5-9 topic=t group=%s\n", k, k+10, k, k, of)
		}
		return b.String()
	}
	for _, c := range []struct{ why, drawing, want string }{
		{"whole", "S SERVER 0-9\n  A 1-2", ""},
		{"no root, which is no evidence by itself", "C CONSUMER 0-9 op=process", ""},
		{"a parent is missing below", "S SERVER 0-9\nA 1-2 parent=?", "the parent of A of A is missing (P01)"},
		{"a parent is missing above the root: the upstream exports nothing", "S SERVER 0-9 parent=?", ""},
		{"a parent is missing above the root, and others like it have theirs", "S SERVER 0-9 parent=?\nU CLIENT 0-9 trace=2\n  S SERVER 1-8", "the parent of S of S is missing (P01)"},
		{"what a consumer links to is missing, and nothing else led to it", "S SERVER 0-9\n  A CONSUMER 2-5 link=? service=S", "what A of S links to is missing (P04)"},
		{"one of two links of a batch is missing", "S SERVER 0-9\n  P PRODUCER 1-2\nB CONSUMER 5-9 link=P link=? trace=2", ""},
		{"a group that got the others did not get this one", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n" + many(3, "g"), "t was not handled by g, though it is elsewhere (P05)"},
		{"it could not be sent", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t error\n" + many(3, "g"), ""},
		{"a group whose messages nobody sent, as far as can be seen", "S SERVER 0-9 topic=t\nC CONSUMER 4-5 link=S trace=2\nx.X CONSUMER 6-7 topic=t group=g trace=3", ""},
		{"a group that got one in thirty is expected by nobody", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n    c.C CONSUMER 4-5 topic=t group=g\n" + many(29, "g") + "x.X CONSUMER 5-6 topic=t group=rare link=w.P0 trace=9", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			j := set.Journeys()[0]
			for _, x := range set.Journeys() {
				if i, ok := x.Root(); ok && set.Span(i).Name == "S" && set.Span(i).Trace[15] == 1 {
					j = x
				}
			}
			if reason, ok := j.Incomplete(); reason != c.want || ok != (c.want != "") {
				t.Errorf("%q, %v; want %q", reason, ok, c.want)
			}
		})
	}
}

// TestIncompleteByOthersWord has traces that were damaged where they were read, and journeys of which a caller knows more.
func TestIncompleteByOthersWord(t *testing.T) {
	spans, err := draw.Spans("a.S SERVER 0-9\n  a.P PRODUCER 1-2\nb.C CONSUMER 5-9 link=a.P trace=2\nc.T SERVER 20-29 trace=3\nd.U SERVER 40-49 trace=4")
	if err != nil {
		t.Fatal(err)
	}
	known := func(j *journey.Journey) string {
		if root, _ := j.Root(); j.Set().Span(root).Name == "d.U" {
			return "known"
		}
		return ""
	}
	set := journey.NewSet(spans, journey.Damaged(spans[2].Trace), journey.Missing(known))
	var got []string
	for _, j := range set.Journeys() {
		reason, _ := j.Incomplete()
		got = append(got, reason)
	}
	if want := []string{"a part of its trace was damaged, and skipped (D09)", "", "known"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q: a damaged trace that a journey goes through is damage to the journey", got, want)
	}
}

func TestUnreceived(t *testing.T) {
	for _, c := range []struct {
		why, drawing string
		want         []string
	}{
		{"handled", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n    C CONSUMER 4-5", nil},
		{"received", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\nC CONSUMER 4-5 op=receive link=P trace=2", nil},
		{"received by a poll, and handled by nobody", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n  Q PRODUCER 3-4 topic=u\nR CLIENT 5-6 op=receive link=P link=Q trace=2\nC CONSUMER 7-8 op=process link=P service=R trace=3", nil},
		{"nobody is seen", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n  Q PRODUCER 3-4 topic=t", []string{"t"}},
		{"without a topic", "S SERVER 0-9\n  P PRODUCER 1-2", []string{"the message of P"}},
		{"sending failed", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t error", nil},
		{"a create span sends nothing", "S SERVER 0-9\n  K PRODUCER 1-2 op=create topic=t", nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			if got := newSet(t, c.drawing).Journeys()[0].UnreceivedTopics(); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestBackgroundIsNamed(t *testing.T) {
	for drawing, want := range map[string]string{
		"a.S SERVER 0-9\n  a.G 5-2000": "a.G of a alone makes more than nine tenths of the completion, and everything else had ended with a.S; --without 'a/a.G' leaves it out",
		"a.S SERVER 0-9\n  a.G 5-2000\n    a.G1 6-1999\n  a.H 6-1900": "a.G of a, a.H of a: 2 pieces of work that nobody waited for make more than nine tenths of the completion, and everything else had ended with a.S; " +
			"--without 'a/a.G' --without 'a/a.H' leaves them out",
		"a.S SERVER 0-9\n  a.G CLIENT 5-2000\n    b.X SERVER 4-1999": "a.G of a alone makes more than nine tenths of the completion, and everything else had ended with a.S; --without 'a/a.G' leaves it out",
		"a.S SERVER 0-9\n  a.G 5-2000\n  a.G 6-1900": "a.G of a: 2 pieces of work that nobody waited for make more than nine tenths of the completion, and everything else had ended with a.S; " +
			"--without 'a/a.G' leaves them out",
	} {
		var got []string
		for _, w := range newSet(t, drawing).Journeys()[0].Warnings() {
			if w.Rule == journey.RuleBackground {
				got = append(got, w.Text)
			}
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%s:\n%q\nwant\n%q", drawing, got, want)
		}
	}
}

func TestNotes(t *testing.T) {
	for _, c := range []struct{ why, drawing, want string }{
		{"of two messages of a poll one is handled", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n  Q PRODUCER 3-4 topic=t\nR CLIENT 5-6 op=receive link=P link=Q trace=2\nC CONSUMER 7-8 op=process link=P service=R trace=3", "D14"},
		{"both are handled", "S SERVER 0-9\n  P PRODUCER 1-2 topic=t\n  Q PRODUCER 3-4 topic=t\nR CLIENT 5-6 op=receive link=P link=Q trace=2\nC CONSUMER 7-8 op=process link=P link=Q service=R trace=3", ""},
		{"a stream under a request", "a.S SERVER 0-9\n  a.G 5-2000", "D18"},
		{"a stream whose server's clock is behind, so that it seems to begin first", "a.S SERVER 0-9\n  a.G CLIENT 5-2000\n    b.X SERVER 4-1999", "D18"},
		{"two streams under a request, of which neither is alone", "a.S SERVER 0-9\n  a.G 5-2000\n  a.H 6-1900", "D18"},
		{"one job after another", "a.S SERVER 0-9\n  a.G 5-1000\n  a.H 6-2000\n    a.I 7-20", "D18"},
		{"two jobs that end with the answer's handler", "a.S SERVER 0-90\n  a.G 5-200\n  a.H 5-210", ""},
		{"two streams, and a consumer that takes as long", "a.S SERVER 0-9\n  a.G 5-2000\n  a.H 6-1900\n  a.P PRODUCER 1-2\n    b.C CONSUMER 5-1800", ""},
		{"a consumer that takes long is no background work", "a.S SERVER 0-9\n  a.P PRODUCER 1-2\n    b.C CONSUMER 5-2000", ""},
		{"work after the answer that is not all", "a.S SERVER 0-90\n  a.G 5-200", ""},
		{"a message that came back, though another conversation's", "w.S SERVER 0-100\n  w.P PRODUCER 5-8\n    b.H CONSUMER 30-80\n      b.Q PRODUCER 75-79\n        w.R CONSUMER 85-90", "D16"},
		{"a reply of which only the receipt is seen: its caller went on", "a.S SERVER 0-100\n  a.P PRODUCER 5-8 op=send messaging.message.conversation_id=c\n    b.H CONSUMER 20-60 op=process\n      b.Q PRODUCER 55-58 op=send\n        a.R CONSUMER 70-72 op=receive messaging.message.conversation_id=c", ""},
		{"a message of another conversation came back: both ids tell", "a.S SERVER 0-100\n  a.P PRODUCER 5-8 op=send messaging.message.conversation_id=c\n    b.H CONSUMER 20-60 op=process\n      b.Q PRODUCER 55-58 op=send\n        a.R CONSUMER 70-72 op=process messaging.message.conversation_id=d", ""},
		{"two replies: the last counts, and the first is no riddle", "a.S SERVER 0-100\n  a.P PRODUCER 5-8 op=send messaging.message.conversation_id=c\n    b.H CONSUMER 20-60 op=process\n      b.Q1 PRODUCER 30-31 op=send\n        a.R1 CONSUMER 40-42 op=process messaging.message.conversation_id=c\n      b.Q2 PRODUCER 55-58 op=send\n        a.R2 CONSUMER 70-72 op=process messaging.message.conversation_id=c", ""},
		{"a message that came back when nobody waited", "w.S SERVER 0-20\n  w.P PRODUCER 5-8\n    b.H CONSUMER 30-80\n      b.Q PRODUCER 75-79\n        w.R CONSUMER 85-90", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			var rules []string
			for _, w := range newSet(t, c.drawing).Journeys()[0].Warnings() {
				rules = append(rules, string(w.Rule))
			}
			if got := strings.Join(rules, " "); got != c.want {
				t.Errorf("warnings %q, want %q", got, c.want)
			}
		})
	}
}
