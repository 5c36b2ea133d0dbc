package journey_test

import (
	"fmt"
	"strings"
	"testing"

	"tracelab/journey/internal/draw"
)

// Which message that comes back is a reply, and who waited for it.
func TestReplies(t *testing.T) {
	const id, other = " messaging.message.conversation_id=1", " messaging.message.conversation_id=2"
	const asked = "w.S SERVER 0-100\n  w.P PRODUCER 5-8" + id + "\n    b.H CONSUMER 30-80 op=process\n      b.Q PRODUCER 75-79\n"
	for _, c := range []struct{ why, drawing, want string }{
		{"it comes back while the caller is open", asked + "        w.R CONSUMER 85-90" + id, "w.S w.P w.R"},
		{"it ends a little after its caller, as the one that wakes it does", asked + "        w.R CONSUMER 85-100.9" + id, "w.S w.P w.R"},
		{"it goes on beyond the tolerance", asked + "        w.R CONSUMER 85-101.1" + id, ""},
		{"it begins after the caller had ended, within the tolerance", asked + "        w.R CONSUMER 100.1-100.5" + id, ""},
		{"another conversation", asked + "        w.R CONSUMER 85-90" + other, ""},
		{"no conversation", asked + "        w.R CONSUMER 85-90", ""},
		{"another service", asked + "        v.R CONSUMER 85-90" + id, ""},
		{"it does not come of what was sent", asked + "w.R CONSUMER 85-90 trace=2" + id, ""},
		{"it comes of something else that was sent", asked + "  w.X PRODUCER 10-12\n    c.H CONSUMER 40-60 op=process\n      c.Q PRODUCER 50-55\n        w.R CONSUMER 85-90" + id, ""},
		{"what was sent itself, taken by its own service", "w.S SERVER 0-100\n  w.P PRODUCER 5-8" + id + "\n    w.R CONSUMER 30-80 op=process" + id, ""},
		{"the last of two", asked + "        w.R CONSUMER 85-90" + id + "\n        w.T CONSUMER 86-95" + id, "w.S w.P w.T"},
		{"the last of two that fit", asked + "        w.R CONSUMER 85-90" + id + "\n        w.T CONSUMER 86-120" + id, "w.S w.P w.R"},
		{"the nearest caller waits", "w.S SERVER 0-100\n  w.A 1-95\n    w.P PRODUCER 5-8" + id + "\n      b.H CONSUMER 30-80 op=process\n        b.Q PRODUCER 75-79\n          w.R CONSUMER 85-90" + id, "w.A w.P w.R"},
		{"one further up, where the nearest had ended", "w.S SERVER 0-100\n  w.A 1-20\n    w.P PRODUCER 5-8" + id + "\n      b.H CONSUMER 30-80 op=process\n        b.Q PRODUCER 75-79\n          w.R CONSUMER 85-90" + id, "w.S w.P w.R"},
	} {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			var got []string
			for _, r := range rootedAt(set, 0).Replies() {
				got = append(got, fmt.Sprint(set.Span(r.Waiter).Name, " ", set.Span(r.Sent).Name, " ", set.Span(r.Back).Name))
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("replies %q, want %q", text, c.want)
			}
		})
	}
}

// A circle of messages in which what waits for a reply is below what the reply came of: within the reply it is not explained by
// the reply again.
func TestReplyWithinItself(t *testing.T) {
	const id = " messaging.message.conversation_id=1"
	set := newSet(t, `
		r.R SERVER 0-200
		  r.P PRODUCER 1-2
		w.U CONSUMER 3-100 op=process link=r.P link=b.Q2 trace=2
		  w.S 10-90
		    w.P PRODUCER 20-22`+id+`
		      b.H CONSUMER 30-80 op=process
		        b.Q2 PRODUCER 31-32
		        b.Q PRODUCER 70-79.9
		  w.X PRODUCER 89.5-89.9
		w.B CONSUMER 89.95-90.5 op=process link=b.Q link=w.X trace=3`+id)
	j := rootedAt(set, 1)
	if r := j.Replies(); len(r) != 1 || set.Span(r[0].Waiter).Name != "w.S" || set.Span(r[0].Back).Name != "w.B" {
		t.Fatalf("replies %v, want that w.S waits for w.B", r)
	}
	for _, m := range j.Messages() {
		if set.Span(m.Consumer).Name == "w.U" && set.Span(m.Producer).Name == "r.P" {
			equalLines(t, "path of the message", []string{draw.Path(set, j.MessagePath(m))}, []string{
				"r.R[0,1] r.P[1,2] ~batch[2,3] w.U[3,10] w.S[10,20] w.P[20,22] w.S[22,89.5] w.X[89.5,89.9] ~message[89.9,89.95] w.B[89.95,90] w.U[90,100]"})
		}
	}
}
