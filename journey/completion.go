package journey

import (
	"tracelab/journey/semconv"
)

// walk follows causes back from a span that ended to the one that began it all: along the completion path of a journey, or
// from the arrival of a reply to what was sent for it.
type walk struct {
	root  Index // the walk ends there, or at the time start
	start int64
	t     int64    // everything after t is explained
	lo    int64    // the work of cur from here to t is being explained
	cur   Index    // the current span, none at the end
	cause edge     // the walk goes on with
	found bool     // there is a cause
	been  []uint64 // bit set, by position in the journey: has been the current span
	in    []uint64 // bit set, by position in the journey: belongs to the walk; nil for all of the journey

	message Index // the producer whose message is followed wherever it arrived, or none
	reply   int32 // the reply that is explained, or -1
}

// CompletionPath returns the segments that explain the completion: sorted, touching each other, adding up to it exactly.
// From the span that ended last it goes back, each time to the cause that was ready last. It is computed at each call,
// in O((n + e) log n) for the n spans and e edges that it visits.
func (j *Journey) CompletionPath() []Segment { return j.pathTo(j.last, none) }

// MessagePath returns the segments that explain when the consumer of a message had handled it, as CompletionPath does for
// the end of the journey. It goes back along that message, even when another message of its batch was ready later: the time
// until the last one was ready is the wait for the batch. It is empty for a message of another journey.
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
	p := newPather(j)
	p.pushWalk(&walk{root: j.root, start: j.start, t: j.set.nodes[last].eff, cur: last, message: message, reply: -1})
	return j.cutStarved(p.run())
}

// pushWalk begins a walk.
func (p *pather) pushWalk(w *walk) {
	w.been = make([]uint64, len(p.journey.spans)/64+1)
	p.stack = append(p.stack, frame{walk: w})
	p.begin(w)
}

// begin finds the cause of the current span, and pushes the span's own work.
func (p *pather) begin(w *walk) {
	n := &p.set.nodes[w.cur]
	position, _ := p.journey.position(w.cur)
	w.been[position/64] |= 1 << (position % 64)
	w.cause, w.found = p.causeOf(w)
	w.lo = min(n.start, w.t)
	if w.found && w.cause.class == ClassMessage && n.op == semconv.OperationReceive && n.start < p.set.nodes[w.cause.pred].start {
		// The poll began before the message was sent: until the message arrived, nobody worked.
		w.lo = max(w.lo, min(max(p.set.arrival(w.cause.pred, w.cur), p.set.ready(w.cause, w.cur)), w.t))
	}
	w.lo = max(w.lo, w.start)
	p.push(w.cur, w.lo, w.t)
}

// advance explains the wait before the current span, and goes on to its cause. It reports whether there is more to explain.
func (p *pather) advance(w *walk) bool {
	w.t = w.lo
	if w.cur == w.root {
		return false
	}
	if !w.found {
		p.wait(ClassUnexplained, w.cur, none, w.start, w.t)
		return false
	}
	h := max(min(p.set.ready(w.cause, w.cur), w.t), w.start)
	g := min(max(p.othersReady(w), h), w.t)
	p.wait(w.cause.class, w.cur, w.cause.pred, g, w.t)
	p.wait(ClassBatch, w.cur, w.cause.pred, h, g)
	w.t, w.cur = h, w.cause.pred
	return true
}

// causeOf returns the in-edge with the latest ready time, from a span of the walk that has not been the current one: of
// several, a message, then the lower id.
func (p *pather) causeOf(w *walk) (best edge, found bool) {
	s := p.set
	var latest int64
	for _, e := range s.edgesTo(w.cur) {
		if position, ok := p.member(w, e.pred); !ok || has(w.been, position) {
			continue
		}
		ready := s.ready(e, w.cur)
		if e.pred == w.message {
			return e, true
		}
		if !found || ready > latest || ready == latest && s.preferred(e, best) {
			best, latest, found = e, ready, true
		}
	}
	return best, found
}

// member returns the position of a span, and whether it belongs to the walk.
func (p *pather) member(w *walk, i Index) (int, bool) {
	position, ok := p.journey.position(i)
	return position, ok && (w.in == nil || has(w.in, position))
}

// has reports whether a bit is set.
func has(bits []uint64, at int) bool { return bits[at/64]&(1<<(at%64)) != 0 }

// preferred reports whether e goes before another cause that was ready at the same time.
func (s *Set) preferred(e, than edge) bool {
	if (e.class == ClassMessage) != (than.class == ClassMessage) {
		return e.class == ClassMessage
	}
	return s.lower(e.pred, than.pred)
}

// othersReady returns the latest ready time of the other messages of the batch: those from producers outside of the walk, or
// from all of them where the walk follows one message. It is 0 without any.
func (p *pather) othersReady(w *walk) int64 {
	s := p.set
	var latest int64
	for _, e := range s.edgesTo(w.cur) {
		if !s.carries(e) {
			continue
		}
		if _, ok := p.member(w, e.pred); !ok || w.cause.pred == w.message {
			latest = max(latest, s.ready(e, w.cur))
		}
	}
	return latest
}

// pushReply begins to explain the time from lo to hi, in which a span waited for a reply: back from the handling of the reply
// over what the send span reached, never below lo.
func (p *pather) pushReply(k int32, lo, hi int64) {
	r := &p.set.replies[k]
	p.active = append(p.active, k)
	p.pushWalk(&walk{root: r.sent, start: lo, t: hi, cur: r.back, message: none, reply: k, in: p.reach(r.sent)})
}

// reach returns the positions of the spans that a span of the journey led to, itself among them.
func (p *pather) reach(from Index) []uint64 {
	bits := make([]uint64, len(p.journey.spans)/64+1)
	p.reachMore(bits, from)
	return bits
}

// reachAll returns the bit of each span that one of those reaches.
func (p *pather) reachAll(from []Index) []uint64 {
	bits := make([]uint64, len(p.journey.spans)/64+1)
	for _, i := range from {
		p.reachMore(bits, i)
	}
	return bits
}

// reachMore adds what a span reaches to what was reached.
func (p *pather) reachMore(bits []uint64, from Index) {
	visit := func(i Index) {
		if position, ok := p.journey.position(i); ok && !has(bits, position) {
			bits[position/64] |= 1 << (position % 64)
			p.found = append(p.found, i)
		}
	}
	p.found = p.found[:0]
	visit(from)
	for len(p.found) > 0 {
		i := p.found[len(p.found)-1]
		p.found = p.found[:len(p.found)-1]
		for _, effect := range p.set.effectsOf(i) {
			visit(effect)
		}
	}
}
