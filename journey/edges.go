package journey

import (
	"cmp"
	"encoding/binary"
	"slices"

	"tracelab/journey/semconv"
)

// edgeBuilder makes the in-edges of all nodes, one node after the other.
type edgeBuilder struct {
	set   *Set
	seen  []Index           // by cause: the last effect that has an edge from it, so that a parent and links to it are one edge
	sends map[Index][]Index // by create span, the send spans that link to it
}

func (s *Set) buildEdges() {
	b := edgeBuilder{set: s, seen: make([]Index, len(s.nodes)), sends: s.sendsOfCreates()}
	for i := range b.seen {
		b.seen[i] = none
	}
	s.in = make([]edge, 0, len(s.nodes))
	s.inAt = make([]int32, len(s.nodes)+1)
	for i := range s.nodes {
		b.parentEdge(Index(i))
		b.linkEdges(Index(i))
		s.inAt[i+1] = int32(len(s.in))
	}
	s.dropReceiveEdges()
	s.buildOutEdges()
}

// parentEdge adds the edge from the parent. Settle spans have none, on either side.
func (b *edgeBuilder) parentEdge(i Index) {
	s := b.set
	c := &s.nodes[i]
	if c.parent == none || c.op == semconv.OperationSettle || s.nodes[c.parent].op == semconv.OperationSettle {
		return
	}
	if c.is(isConsumer) {
		if send := b.send(c.parent, c); send != c.parent {
			b.add(i, edge{send, ClassMessage})
			return
		}
	}
	class, overrun := classify(&s.nodes[c.parent], c)
	if overrun {
		s.note(ruleServerRunsOver, i, 0)
	}
	b.add(i, edge{c.parent, class})
}

// linkEdges adds the edges from the targets of links: to a consumer-side span from a message's producer, or from the
// receive span that returned it. All other links are related, but not causal.
func (b *edgeBuilder) linkEdges(i Index) {
	s := b.set
	c := &s.nodes[i]
	links := s.spans[c.span].Links
	from := len(s.in)
	for l := range links {
		target := s.linkTarget(c, links[l].Ref)
		if target == none {
			s.note(ruleLinkTarget, i, l)
			continue
		}
		t := &s.nodes[target]
		if target == i || !c.is(isConsumer) || c.op == semconv.OperationSettle || t.op == semconv.OperationSettle {
			continue
		}
		switch {
		case t.op == semconv.OperationReceive:
			class, _ := classify(t, c)
			b.add(i, edge{target, class})
		case t.kind == KindProducer || t.is(isMessaging):
			b.add(i, edge{b.send(target, c), ClassMessage})
		}
	}
	if added := s.in[from:]; len(added) > 1 {
		slices.SortFunc(added, func(x, y edge) int { return cmp.Compare(x.pred, y.pred) })
	}
}

func (b *edgeBuilder) add(i Index, e edge) {
	if e.pred != i && b.seen[e.pred] != i {
		b.seen[e.pred] = i
		b.set.in = append(b.set.in, e)
	}
}

// linkTarget returns the span that a link of c names, or none. Most links stay within their trace.
func (s *Set) linkTarget(c *node, r Ref) Index {
	if r.Trace != s.spans[c.span].Trace {
		i, _ := s.Find(r)
		return i
	}
	if r.Span.IsZero() {
		return none
	}
	return s.index.find(s.nodes, c.trace, binary.BigEndian.Uint64(r.Span[:]))
}

// sendsOfCreates returns, by create span, the send spans that link to it.
func (s *Set) sendsOfCreates() map[Index][]Index {
	var sends map[Index][]Index
	for i := range s.nodes {
		if s.nodes[i].op != semconv.OperationSend {
			continue
		}
		for _, l := range s.spans[s.nodes[i].span].Links {
			create := s.linkTarget(&s.nodes[i], l.Ref)
			if create == none || s.nodes[create].op != semconv.OperationCreate {
				continue
			}
			if sends == nil {
				sends = make(map[Index][]Index)
			}
			sends[create] = append(sends[create], Index(i))
		}
	}
	return sends
}

// send returns the span that sent the message that create made for consumer c, or create itself when no send span links
// to it. Of several sends (a message may be sent again) it is the one that ended last before c started, or else first.
func (b *edgeBuilder) send(create Index, c *node) Index {
	s := b.set
	best := create
	for _, i := range b.sends[create] {
		switch end := s.nodes[i].end; {
		case best == create:
			best = i
		case s.nodes[best].end > c.start && end < s.nodes[best].end, end <= c.start && end > s.nodes[best].end:
			best = i
		}
	}
	return best
}

// dropReceiveEdges applies the rule of receive spans (polls): an edge from one counts only for a span that has no message
// edge from a producer of its own, and a receive span from which no edge counts has no edges at all.
func (s *Set) dropReceiveEdges() {
	counts := make([]int32, len(s.nodes)) // edges that count, by receive span
	for i := range s.nodes {
		for _, e := range s.edgesTo(Index(i)) {
			if s.nodes[e.pred].op == semconv.OperationReceive && !s.hasProducer(Index(i)) {
				counts[e.pred]++
			}
		}
	}
	s.shareReceives(counts)
	kept, from := s.in[:0], int32(0)
	for i := range s.nodes {
		edges := s.in[from:s.inAt[i+1]]
		from = s.inAt[i+1]
		own := s.anyProducer(edges)
		for _, e := range edges {
			if !s.nodes[i].is(isShared) && (!own || s.nodes[e.pred].op != semconv.OperationReceive) {
				kept = append(kept, e)
			}
		}
		s.inAt[i+1] = int32(len(kept))
	}
	s.in = kept
}

// shareReceives marks the receive spans from which no edge counts. As the edges to them go too, another receive span may
// be left without any, so this goes on until nothing changes.
func (s *Set) shareReceives(counts []int32) {
	var shared []Index
	for i := range s.nodes {
		if s.nodes[i].op == semconv.OperationReceive && counts[i] == 0 {
			shared = append(shared, Index(i))
		}
	}
	for len(shared) > 0 {
		r := shared[len(shared)-1]
		shared = shared[:len(shared)-1]
		s.nodes[r].flags |= isShared
		if s.hasProducer(r) {
			continue // edges to it from receive spans did not count
		}
		for _, e := range s.edgesTo(r) {
			if s.nodes[e.pred].op != semconv.OperationReceive {
				continue
			}
			if counts[e.pred]--; counts[e.pred] == 0 {
				shared = append(shared, e.pred)
			}
		}
	}
}

func (s *Set) hasProducer(i Index) bool { return s.anyProducer(s.edgesTo(i)) }

// anyProducer reports a message edge from a span that is not itself consumer-side.
func (s *Set) anyProducer(edges []edge) bool {
	for _, e := range edges {
		if e.class == ClassMessage && !s.nodes[e.pred].is(isConsumer) {
			return true
		}
	}
	return false
}

func (s *Set) buildOutEdges() {
	s.outAt = make([]int32, len(s.nodes)+1)
	for _, e := range s.in {
		s.outAt[e.pred+1]++
	}
	for i := range s.nodes {
		s.outAt[i+1] += s.outAt[i]
	}
	s.out = make([]Index, len(s.in))
	next := slices.Clone(s.outAt)
	for i := range s.nodes {
		for _, e := range s.edgesTo(Index(i)) {
			s.out[next[e.pred]] = Index(i)
			next[e.pred]++
			s.backwards = s.backwards || e.pred > Index(i)
		}
	}
}
