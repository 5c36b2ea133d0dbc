package journey

import (
	"iter"
	"strconv"
)

// Class tells how a span led to another one (or, of a wait, what was waited for).
type Class uint8

// The classes of edges. ClassCall blocks the caller of the earlier span, the
// others do not. ClassBatch and ClassUnexplained occur only
// as waits on a path: other messages of the batch, and nothing that the traces show.
const (
	ClassMessage Class = iota
	ClassContinuation
	ClassDetachedAfter
	ClassAbandoned
	ClassDetachedOverlap
	ClassCall
	ClassBatch
	ClassUnexplained
)

// String returns the class as it is written in reports, such as detached-after.
func (c Class) String() string {
	names := [...]string{"message", "continuation", "detached-after", "abandoned", "detached-overlap", "call", "batch", "unexplained"}
	if int(c) < len(names) {
		return names[c]
	}
	return "class(" + strconv.Itoa(int(c)) + ")"
}

// edge is an in-edge: pred led to the span that has the edge.
type edge struct {
	pred  Index
	class Class
}

// Edge is a step from a cause to an effect.
type Edge struct {
	From  Index
	Class Class
	Ready int64 // when the cause had done what the effect needs, in nanoseconds since the Unix epoch
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

// tolerance is what clocks and the moment of ending a span are allowed: 1 ms, or 1 % of the span when that is more.
func (n *node) tolerance() int64 { return max(1_000_000, (n.end-n.start)/100) }

// failed reports an error status or error.type.
func (n *node) failed() bool { return n.status == StatusError || n.is(hasErrorType) }

// ready is when the cause had done what the effect needs.
func (s *Set) ready(e edge, effect Index) int64 {
	switch e.class {
	case ClassMessage, ClassContinuation, ClassDetachedAfter:
		return s.nodes[e.pred].end
	default:
		return s.nodes[effect].start
	}
}

// classify applies the table of edges to parent p and child c: the first row that matches.
// overrun reports a server that ended too late for a call, though its client shows no error.
func classify(p, c *node) (class Class, overrun bool) {
	late := c.end > p.end+p.tolerance()
	switch {
	case p.kind == KindProducer && c.is(isConsumer):
		return ClassMessage, false
	case p.is(isConsumer) && c.is(isConsumer) && p.service == c.service && c.start >= p.end:
		return ClassContinuation, false
	case c.start >= p.end && c.end > p.end:
		return ClassDetachedAfter, false
	case late && p.kind == KindClient && c.kind == KindServer:
		if p.failed() {
			return ClassAbandoned, false
		}
		return ClassCall, true
	case late:
		return ClassDetachedOverlap, false
	}
	return ClassCall, false
}
