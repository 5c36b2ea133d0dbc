package journey_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// drawnCase is a case of the rules for paths with drawn times, and what comes of it by arithmetic alone.
type drawnCase struct {
	drawing  string
	path     string // of the completion
	messages int    // deliveries
	wait     int64  // in the queue, of the last delivery, in tenths of a millisecond
}

// drawer draws moments, each after the one before, in tenths of a millisecond.
type drawer struct {
	t  *rapid.T
	at int64
}

// next draws a moment that is at least so much later.
func (d *drawer) next(least int64) int64 {
	d.at += least + rapid.Int64Range(0, 900).Draw(d.t, "time")
	return d.at
}

// tenths writes a moment in milliseconds.
func tenths(v int64) string {
	return strconv.FormatFloat(float64(v)/10, 'f', -1, 64)
}

// piece writes a piece of a path.
func piece(name string, from, to int64) string {
	return fmt.Sprintf("%s[%s,%s]", name, tenths(from), tenths(to))
}

// lines fills moments into a drawing: @0 is the first of them.
func lines(drawing string, at ...int64) string {
	for k := len(at) - 1; k >= 0; k-- {
		drawing = strings.ReplaceAll(drawing, fmt.Sprint("@", k), tenths(at[k]))
	}
	return drawing
}

// The cases of the rules for paths whose times do not matter, at any times.
var drawnCases = map[string]func(d *drawer) drawnCase{
	"a receive span alone is a delivery": func(d *drawer) drawnCase {
		send, sent := d.next(20), d.next(20)
		root := sent + rapid.Int64Range(0, 50).Draw(d.t, "answer")
		from, to := d.next(100), d.next(60)
		return drawnCase{
			lines("a.S SERVER 0-@0\n  a.P PRODUCER @1-@2\no.R CONSUMER @3-@4 op=receive link=a.P trace=2", root, send, sent, from, to),
			strings.Join([]string{piece("a.S", 0, send), piece("a.P", send, sent), piece("~message", sent, from), piece("o.R", from, to)}, " "), 1, from - sent,
		}
	},
	"two groups, one by a process span, one by a receive span alone": func(d *drawer) drawnCase {
		send, sent := d.next(20), d.next(20)
		w, wEnd, r, rEnd := d.next(20), d.next(20), d.next(20), d.next(60)
		return drawnCase{
			lines("S SERVER 0-@1\n  P PRODUCER @0-@1\n    a.W CONSUMER @2-@3 op=process group=a\n    b.R CONSUMER @4-@5 op=receive group=b", send, sent, w, wEnd, r, rEnd),
			strings.Join([]string{piece("S", 0, send), piece("P", send, sent), piece("~message", sent, r), piece("b.R", r, rEnd)}, " "), 2, r - sent,
		}
	},
	"a poll that was open before its message was sent": func(d *drawer) drawnCase {
		open := -rapid.Int64Range(1, 50_000).Draw(d.t, "open")
		send, sent, got := d.next(20), d.next(20), d.next(20)
		return drawnCase{
			lines("S SERVER 0-@1\n  P PRODUCER @0-@1\na.R CONSUMER @3-@2 op=receive link=P trace=2", send, sent, got, open),
			strings.Join([]string{piece("S", 0, send), piece("P", send, sent), piece("~message", sent, got)}, " "), 1, got - sent,
		}
	},
	"again after a failure": func(d *drawer) drawnCase {
		send, sent := d.next(20), d.next(20)
		first, failed, again, done := d.next(20), d.next(20), d.next(20), d.next(20)
		return drawnCase{
			lines("S SERVER 0-@1\n  P PRODUCER @0-@1\n    a.1 CONSUMER @2-@3 op=process group=g error\n    a.2 CONSUMER @4-@5 op=process group=g", send, sent, first, failed, again, done),
			strings.Join([]string{piece("S", 0, send), piece("P", send, sent), piece("~message", sent, first), piece("a.1", first, failed), piece("~retry", failed, again), piece("a.2", again, done)}, " "),
			2, again - sent,
		}
	},
	"again, though it went well": func(d *drawer) drawnCase {
		send, sent := d.next(20), d.next(20)
		first, good, again, done := d.next(20), d.next(20), d.next(20), d.next(20)
		return drawnCase{
			lines("S SERVER 0-@1\n  P PRODUCER @0-@1\n    a.1 CONSUMER @2-@3 op=process group=g\n    a.2 CONSUMER @4-@5 op=process group=g", send, sent, first, good, again, done),
			strings.Join([]string{piece("S", 0, send), piece("P", send, sent), piece("~message", sent, again), piece("a.2", again, done)}, " "), 2, again - sent,
		}
	},
	"a job of microseconds that a request of microseconds leaves behind": func(d *drawer) drawnCase {
		begin := rapid.Int64Range(1, 8).Draw(d.t, "begin")
		end := begin + rapid.Int64Range(1, 3).Draw(d.t, "rest") // within a millisecond: more than the step of its clock
		last := end + rapid.Int64Range(1, 9).Draw(d.t, "over")
		return drawnCase{lines("a.S SERVER 0-@1\n  a.J @0-@2", begin, end, last), strings.Join([]string{piece("a.S", 0, begin), piece("a.J", begin, last)}, " "), 0, 0}
	},
	"a worker's loop is the parent of the handler, which links to the message": func(d *drawer) drawnCase {
		open := -rapid.Int64Range(1, 50_000).Draw(d.t, "open")
		send, sent, from, to := d.next(20), d.next(20), d.next(20), d.next(20)
		over := to + rapid.Int64Range(0, 500).Draw(d.t, "over")
		return drawnCase{
			lines("S SERVER 0-@1\n  P PRODUCER @0-@1\nw.loop @4-@5 trace=2\n  w.H CONSUMER @2-@3 op=process link=P", send, sent, from, to, open, over),
			strings.Join([]string{piece("S", 0, send), piece("P", send, sent), piece("~message", sent, from), piece("w.H", from, to)}, " "), 1, from - sent,
		}
	},
	"several orders in one batch: only messages make it wait": func(d *drawer) drawnCase {
		send, sent := d.next(20), d.next(20)
		other, ready, from, to := d.next(20), d.next(20), d.next(20), d.next(20)
		return drawnCase{
			lines("S SERVER 0-@1\n  P PRODUCER @0-@1\nT SERVER @2-@3 trace=2\n  Q PRODUCER @2-@3\nw.W CONSUMER @4-@5 op=process link=P link=Q trace=3", send, sent, other, ready, from, to),
			strings.Join([]string{piece("S", 0, send), piece("P", send, sent), piece("~batch", sent, ready), piece("~message", ready, from), piece("w.W", from, to)}, " "), 1, from - sent,
		}
	},
	"a message that comes back, by its conversation": func(d *drawer) drawnCase {
		send, sent := d.next(20), d.next(20)
		from, reply, replied, back, done, end := d.next(20), d.next(20), d.next(20), d.next(20), d.next(20), d.next(20)
		const id = "messaging.message.conversation_id=1"
		return drawnCase{
			lines("w.S SERVER 0-@7\n  w.P PRODUCER @0-@1 "+id+"\n    b.H CONSUMER @2-@4 op=process\n      b.Q PRODUCER @3-@4\n        w.R CONSUMER @5-@6 op=process "+id, send, sent, from, reply, replied, back, done, end),
			strings.Join([]string{piece("w.S", 0, send), piece("w.P", send, sent), piece("~message", sent, from), piece("b.H", from, reply), piece("b.Q", reply, replied),
				piece("~message", replied, back), piece("w.R", back, done), piece("w.S", done, end)}, " "), 2, back - replied,
		}
	},
}

func TestDrawnCases(t *testing.T) {
	for why, drawn := range drawnCases {
		t.Run(why, rapid.MakeCheck(func(t *rapid.T) {
			c := drawn(&drawer{t: t})
			spans, err := draw.Spans(c.drawing)
			if err != nil {
				t.Fatal(err)
			}
			set := journey.NewSet(spans)
			j := rootedAt(set, 0)
			if got := draw.Path(set, j.CompletionPath()); got != c.path {
				t.Fatalf("completion path\n%s, want\n%s:\n%s", got, c.path, c.drawing)
			}
			messages := j.Messages()
			if len(messages) != c.messages {
				t.Fatalf("%d messages, want %d:\n%s", len(messages), c.messages, c.drawing)
			}
			if n := len(messages); n > 0 && messages[n-1].Wait != time.Duration(c.wait)*100*time.Microsecond {
				t.Fatalf("queue wait %v, want %s ms:\n%s", messages[n-1].Wait, tenths(c.wait), c.drawing)
			}
			for _, w := range j.Warnings() {
				if w.Rule == journey.RuleClockSkew || w.Rule == journey.RuleUnexplained {
					t.Fatalf("%v:\n%s", w, c.drawing)
				}
			}
		}))
	}
}
