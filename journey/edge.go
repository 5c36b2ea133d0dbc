package journey

import (
	"iter"
	"strconv"
)

// Class tells how a span led to another one (or, of a wait, what was waited for).
type Class uint8

// The classes of edges. With ClassCall the earlier span waits for the later one, with the others it does not. ClassMailbox is
// work that waited in the memory of its service; ClassRetry orders the handlings of one message after a failure, and adds no
// span to a journey. ClassBatch, ClassUnexplained and ClassStarved occur only as waits on a path: for other messages of the
// batch, for something that the traces do not show, and for the CPU (see Starved). ClassReply is not an edge: Journey.Replies
// lists what waits for a message that comes back.
const (
	ClassMessage Class = iota
	ClassContinuation
	ClassDetachedAfter
	ClassAbandoned
	ClassDetachedOverlap
	ClassCall
	ClassBatch
	ClassUnexplained
	ClassMailbox
	ClassRetry
	ClassReply
	ClassStarved
)

// String returns the class as it is written in reports, such as detached-after.
func (c Class) String() string {
	names := [...]string{"message", "continuation", "detached-after", "abandoned", "detached-overlap", "call", "batch", "unexplained", "mailbox", "retry", "reply", "starved"}
	if int(c) < len(names) {
		return names[c]
	}
	return "class(" + strconv.Itoa(int(c)) + ")"
}

// edge is an in-edge: pred led to the span that has the edge.
type edge struct {
	pred  Index
	class Class
	early bool // of a message: it was sent before its cause ended
	made  bool // of a message: the cause created what the effect sent
}

// Edge is a step from a cause to an effect.
type Edge struct {
	From  Index
	Class Class
	Ready int64 // when From had done what the effect needs, in nanoseconds since the Unix epoch
}

// Causes yields the edges that lead to span i, parent first, then links by their targets' order.
func (s *Set) Causes(i Index) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		if i < 0 || int(i) >= s.Len() {
			return
		}
		for _, e := range s.edgesTo(i) {
			if !yield(Edge{e.pred, e.class, s.ready(e, i)}) {
				return
			}
		}
	}
}

func (s *Set) edgesTo(i Index) []edge    { return s.in[s.inAt[i]:s.inAt[i+1]] }
func (s *Set) effectsOf(i Index) []Index { return s.out[s.outAt[i]:s.outAt[i+1]] }

// failed reports an error status or error.type.
func (n *node) failed() bool { return n.is(hasErrorStatus | hasErrorType) }

// ready returns when the cause had done what the effect needs.
func (s *Set) ready(e edge, effect Index) int64 {
	switch e.class {
	case ClassMessage:
		if e.early {
			return min(s.nodes[e.pred].end, s.nodes[effect].start)
		}
		return s.nodes[e.pred].end
	case ClassContinuation, ClassDetachedAfter, ClassMailbox, ClassRetry:
		return s.nodes[e.pred].end
	default:
		return s.nodes[effect].start
	}
}

// classify applies the table of edges to parent i and child k: the first row that matches. overrun reports a server that
// ended too late for a call, though its client shows no error.
func (s *Set) classify(i, k Index) (e edge, overrun bool) {
	p, c := &s.nodes[i], &s.nodes[k]
	e = edge{pred: i, class: ClassCall}
	late := c.end > p.end && !s.tolerates(i, k, c.end-p.end)
	switch {
	case p.kind == KindProducer && (c.is(isConsumer) || c.service != p.service && (c.kind != KindServer || c.start < p.start || late)):
		e.class = ClassMessage
	case injects(p) && c.kind == KindConsumer && c.service != p.service:
		e.class, e.early = ClassMessage, true
	case p.is(isConsumer) && c.is(isConsumer) && p.service == c.service && c.start >= p.end:
		e.class = ClassContinuation
	case c.start >= p.end && c.end > p.end:
		e.class = ClassDetachedAfter
		if c.is(isCarryOn) && c.service == p.service {
			e.class = ClassMailbox
		}
	case late && p.kind == KindClient && c.kind == KindServer:
		if p.failed() {
			e.class = ClassAbandoned
			break
		}
		return e, true
	case late:
		e.class = ClassDetachedOverlap
	}
	return e, false
}

// injects reports a span whose context may be in a message though it is not a send span.
func injects(p *node) bool {
	return (p.kind == KindServer || p.kind == KindInternal) && !p.is(isConsumer)
}

// carries reports a message edge from a span that is not itself consumer-side: a delivery, or what a poll received.
func (s *Set) carries(e edge) bool {
	return e.class == ClassMessage && !e.made && !s.nodes[e.pred].is(isConsumer)
}
