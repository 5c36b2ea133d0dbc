package journey

import (
	"cmp"
	"slices"

	"tracelab/journey/semconv"
)

// unhandled is a message that a poll received and that nobody is seen to have handled.
type unhandled struct{ producer, poll Index }

// receiveRule decides which edges of receive spans count. A receive span (a poll, or the handler of an instrumentation that
// calls handling so) stands for the handling of its messages unless a span of its consumer handles one of them.
type receiveRule struct {
	*Set
	receives []Index
	handlers map[Index][]Index // by the producer of a received message, the spans that handled it
	counts   []int32           // by receive span, the edges from it that count
	messages []int32           // by receive span, how many messages it has
}

// sameConsumer reports whether two spans consume for one service and one group, or one queue, as far as both name one.
func (s *Set) sameConsumer(i, j Index) bool {
	a, b := &s.nodes[i], &s.nodes[j]
	switch {
	case a.service != b.service:
		return false
	case a.group != 0 && b.group != 0:
		return a.group == b.group
	case a.topic == b.topic || a.topic == 0 || b.topic == 0:
		return true
	}
	x, _ := s.spans[a.span].Messaging() // one of them may name a template, too
	y, _ := s.spans[b.span].Messaging()
	return x.Destination == "" || y.Destination == "" || x.Destination == y.Destination
}

// applyReceiveRule drops the edges of receive spans that do not count:
//   - one to a span that has a message edge from a producer of its own;
//   - the message edges of a poll: a receive span whose consumer handles one of its messages elsewhere. A poll of one message
//     from which another edge counts keeps it;
//   - all edges of a receive span from which no edge counts, and to which no message edge does.
func (s *Set) applyReceiveRule() {
	if !s.ops[semconv.OperationReceive] {
		return
	}
	r := receiveRule{Set: s, counts: make([]int32, len(s.nodes)), messages: make([]int32, len(s.nodes))}
	r.findReceives()
	r.findPolls()
	r.share()
	r.drop()
}

// findReceives fills in receives, messages and counts.
func (r *receiveRule) findReceives() {
	for i := range r.nodes {
		if r.nodes[i].op == semconv.OperationReceive {
			r.receives = append(r.receives, Index(i))
			for _, e := range r.edgesTo(Index(i)) {
				if r.carries(e) {
					r.messages[i]++
				}
			}
		}
		for _, e := range r.edgesTo(Index(i)) {
			if r.nodes[e.pred].op == semconv.OperationReceive && !r.anyProducer(r.edgesTo(Index(i))) {
				r.counts[e.pred]++
			}
		}
	}
}

// findPolls marks the receive spans one of whose messages is handled by another span of their consumer, and notes what such a
// poll received and nobody handled.
func (r *receiveRule) findPolls() {
	wanted := make(map[Index]bool)
	for _, i := range r.receives {
		for _, e := range r.edgesTo(i) {
			if r.carries(e) {
				wanted[e.pred] = true
			}
		}
	}
	if len(wanted) == 0 {
		return
	}
	r.handlers = make(map[Index][]Index)
	for i := range r.nodes {
		if r.nodes[i].op == semconv.OperationReceive {
			continue
		}
		for _, e := range r.edgesTo(Index(i)) {
			if r.carries(e) && wanted[e.pred] {
				r.handlers[e.pred] = append(r.handlers[e.pred], Index(i))
			}
		}
	}
	for _, i := range r.receives {
		r.findPoll(i)
	}
	slices.SortFunc(r.unhandled, func(a, b unhandled) int {
		return cmp.Or(cmp.Compare(a.producer, b.producer), cmp.Compare(a.poll, b.poll))
	})
}

func (r *receiveRule) findPoll(i Index) {
	var open []Index
	handled := false
	for _, e := range r.edgesTo(i) {
		if !r.carries(e) {
			continue
		}
		if slices.ContainsFunc(r.handlers[e.pred], func(h Index) bool { return r.sameConsumer(h, i) }) {
			handled = true
		} else {
			open = append(open, e.pred)
		}
	}
	if !handled {
		return
	}
	r.nodes[i].flags |= isPoll
	for _, p := range open {
		r.unhandled = append(r.unhandled, unhandled{p, i})
	}
}

// keeps reports whether the message edges to a receive span count.
func (r *receiveRule) keeps(i Index) bool {
	if !r.nodes[i].is(isPoll) {
		return r.messages[i] > 0
	}
	return r.messages[i] == 1 && r.counts[i] > 0
}

// share marks as shared the receive spans that have no edges left. Dropping the edges to one may leave another without any,
// so share repeats until nothing changes.
func (r *receiveRule) share() {
	var shared []Index
	for _, i := range r.receives {
		if r.counts[i] == 0 && !r.keeps(i) {
			shared = append(shared, i)
		}
	}
	for len(shared) > 0 {
		i := shared[len(shared)-1]
		shared = shared[:len(shared)-1]
		r.nodes[i].flags |= isShared
		if r.anyProducer(r.edgesTo(i)) {
			continue // edges to it from receive spans did not count
		}
		for _, e := range r.edgesTo(i) {
			if r.nodes[e.pred].op != semconv.OperationReceive {
				continue
			}
			if r.counts[e.pred]--; r.counts[e.pred] == 0 && !r.keeps(e.pred) {
				shared = append(shared, e.pred)
			}
		}
	}
}

// drop removes the edges that do not count.
func (r *receiveRule) drop() {
	kept, from := r.in[:0], int32(0)
	for i := range r.nodes {
		n := &r.nodes[i]
		edges := r.in[from:r.inAt[i+1]]
		from = r.inAt[i+1]
		own := r.anyProducer(edges)
		lost := n.op == semconv.OperationReceive && (n.is(isShared) || !r.keeps(Index(i)))
		if lost && own {
			n.flags |= tookMessages
		}
		for _, e := range edges {
			if n.is(isShared) || own && r.nodes[e.pred].op == semconv.OperationReceive || lost && r.carries(e) {
				continue
			}
			kept = append(kept, e)
		}
		r.inAt[i+1] = int32(len(kept))
	}
	r.in = kept
}

// anyProducer reports a message edge from a span that is not itself consumer-side.
func (s *Set) anyProducer(edges []edge) bool { return slices.ContainsFunc(edges, s.carries) }

// handles reports whether message edges to the span are deliveries: to any span but a poll.
func (n *node) handles() bool { return !n.is(isPoll | isShared) }
