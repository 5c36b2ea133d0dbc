package journey

import (
	"fmt"
	"slices"

	"tracelab/journey/semconv"
)

// completionWalk follows a journey back from its end.
type completionWalk struct {
	*Journey
	scanner
	been    []uint64 // bit set, by position in spans: has been the current span
	t       int64    // everything after t is explained
	message Index    // the producer whose message is followed wherever it arrived, or none
}

// CompletionPath returns the segments that explain the completion: sorted, touching each other, adding up to it exactly.
// From the span that ended last it goes back, each time to the cause that was ready last. It is computed at each call,
// in O((n + e) log n) for the n spans and e edges that it comes by.
func (j *Journey) CompletionPath() []Segment { return j.pathTo(j.last, none) }

// MessagePath returns the segments that explain when the consumer of a message of the journey had handled it, as
// CompletionPath does for the end of the journey: going back along that message, whichever message of its batch was ready
// last. The time until the batch's last message was ready is the wait for the batch. It is empty for a message that is not of the journey.
func (j *Journey) MessagePath(m Message) []Segment {
	if !j.Contains(m.Consumer) {
		return nil
	}
	return j.pathTo(m.Consumer, m.Producer)
}

func (j *Journey) pathTo(last, message Index) []Segment {
	if len(j.spans) == 0 {
		return nil
	}
	w := completionWalk{Journey: j, scanner: newScanner(j), been: make([]uint64, len(j.spans)/64+1), t: j.set.nodes[last].eff, message: message}
	for cur := last; cur != none; {
		cur = w.step(cur)
	}
	slices.Reverse(w.segments)
	return w.segments
}

// step explains the part of cur before t and the wait before it, and returns the cause to go on with, or none.
func (w *completionWalk) step(cur Index) Index {
	s := w.Journey.set
	n := &s.nodes[cur]
	position, _ := w.position(cur)
	w.been[position/64] |= 1 << (position % 64)
	e, found := w.cause(cur)
	lo := min(n.start, w.t)
	if found && e.class == ClassMessage && n.op == semconv.OperationReceive {
		lo = max(lo, min(s.ready(e, cur), w.t)) // a poll that was opened before the message existed
	}
	lo = max(lo, w.start)
	w.scan(cur, lo, w.t)
	w.t = lo
	if cur == w.root {
		return none
	}
	if !found {
		w.wait(ClassUnexplained, cur, none, w.start, w.t)
		return none
	}
	h := max(min(s.ready(e, cur), w.t), w.start)
	g := min(max(w.othersReady(cur, e.pred == w.message), h), w.t)
	w.wait(e.class, cur, e.pred, g, w.t)
	w.wait(ClassBatch, cur, e.pred, h, g)
	w.t = h
	return e.pred
}

// cause returns the in-edge with the latest ready time, from a span of the journey that has not been the current one:
// of several, a message, then the lower id.
func (w *completionWalk) cause(cur Index) (best edge, found bool) {
	s := w.Journey.set
	var latest int64
	for _, e := range s.edgesTo(cur) {
		position, ok := w.position(e.pred)
		if !ok || w.been[position/64]&(1<<(position%64)) != 0 {
			continue
		}
		ready := s.ready(e, cur)
		if e.pred == w.message {
			return e, true
		}
		if !found || ready > latest || ready == latest && s.preferred(e, best) {
			best, latest, found = e, ready, true
		}
	}
	return best, found
}

// preferred decides between causes that were ready at the same time.
func (s *Set) preferred(e, than edge) bool {
	if (e.class == ClassMessage) != (than.class == ClassMessage) {
		return e.class == ClassMessage
	}
	return s.lower(e.pred, than.pred)
}

// othersReady returns the latest ready time among other messages of the batch: causes outside the journey, or when one
// message is followed all causes. Without any it is the least time.
func (w *completionWalk) othersReady(cur Index, all bool) int64 {
	s := w.Journey.set
	var latest int64
	for _, e := range s.edgesTo(cur) {
		if all || !w.Contains(e.pred) {
			latest = max(latest, s.ready(e, cur))
		}
	}
	return latest
}

// ownWarnings adds what is wrong with the journey as a whole.
func (j *Journey) ownWarnings(l *warningList) {
	if len(j.spans) == 0 {
		return
	}
	first := j.set.Span(j.first())
	if !j.rooted() {
		l.add(RuleRoots, func() Warning {
			return Warning{Rule: RuleRoots, Span: first.Ref(), Text: fmt.Sprintf("no root: the earliest span is %s of %s", first.Name, first.Service)}
		})
	}
	if n := len(j.unreached); n > 0 {
		l.add(RuleRoots, func() Warning {
			return Warning{Rule: RuleRoots, Span: first.Ref(), Text: fmt.Sprintf("%d spans of its traces are not reached from its first span, and on no path", n)}
		})
	}
	for _, g := range j.CompletionPath() {
		if g.Wait && g.Class == ClassUnexplained {
			span := j.set.Span(g.Span)
			l.add(RuleUnexplained, func() Warning {
				return Warning{Rule: RuleUnexplained, Span: span.Ref(), Text: fmt.Sprintf("nothing explains the %d ns before %s of %s", g.Duration().Nanoseconds(), span.Name, span.Service)}
			})
		}
	}
	for _, m := range j.Messages() {
		if m.Delivery < 0 {
			c := j.set.Span(m.Consumer)
			l.add(RuleClockSkew, func() Warning {
				return Warning{Rule: RuleClockSkew, Span: c.Ref(), Text: fmt.Sprintf("%s of %s started %d ns before its producer: clocks are off by at least that much",
					c.Name, c.Service, -m.Delivery.Nanoseconds())}
			})
		}
	}
}
