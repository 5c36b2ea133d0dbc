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
	seen  []Index           // by cause: the last effect with an edge from it, so that a parent and a link to it make one edge
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
	s.applyReceiveRule()
	s.leaveOut()
	s.addRetries()
	s.buildOutEdges()
	s.related.finish()
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
			b.add(i, edge{pred: send, class: ClassMessage})
			return
		}
	}
	e, overrun := s.classify(c.parent, i)
	if overrun {
		s.note(ruleServerRunsOver, i, 0)
	}
	b.add(i, e)
}

// linkEdges adds the edges from the targets of links: to a consumer-side span from a message's producer, or from the
// receive span that returned it; to a send span from the span that created what it sent; to any span from a further parent.
// All other links are related, but not causal.
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
		if e, ok := b.linkEdge(i, target, links[l].isChildOf()); ok {
			b.add(i, e)
		} else if target != i && b.seen[target] != i {
			s.related.add(i, target)
		}
	}
	if added := s.in[from:]; len(added) > 1 {
		slices.SortFunc(added, func(x, y edge) int { return cmp.Compare(x.pred, y.pred) })
	}
	if c.is(hasChildOf) && c.parent != none && len(s.in) > from {
		s.joins = append(s.joins, i)
	}
}

// linkEdge returns the edge that a link from i to t makes, and false for one that is related only.
func (b *edgeBuilder) linkEdge(i, t Index, childOf bool) (edge, bool) {
	s := b.set
	c, p := &s.nodes[i], &s.nodes[t]
	switch {
	case t == i || c.op == semconv.OperationSettle || p.op == semconv.OperationSettle:
		return edge{}, false
	case childOf && (c.parent != none || s.isAside(i)), c.is(isConsumer) && p.op == semconv.OperationReceive:
		e, _ := s.classify(t, i)
		return e, true
	case c.op == semconv.OperationSend && p.op == semconv.OperationCreate:
		return edge{pred: t, class: ClassMessage, made: true}, true
	case !c.is(isConsumer):
		return edge{}, false
	case p.is(isConsumer):
		return edge{pred: t, class: ClassMessage}, p.end <= c.start || s.tolerates(t, i, p.end-c.start)
	case p.kind == KindProducer || p.is(isMessaging):
		return edge{pred: b.send(t, c), class: ClassMessage}, true
	}
	return edge{}, false
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
// to it. Of several sends (a message may be sent again) it is the last one that ended before c started, else the first.
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

// buildOutEdges lists the effects of each span, without edges of class retry, which add no span to a journey. A span that does the part of some
// messages of a batch is an effect of what sent these, in the place of the batch.
func (s *Set) buildOutEdges() {
	s.findUnits()
	s.outAt = make([]int32, len(s.nodes)+1)
	for i := range s.nodes {
		s.eachCause(Index(i), func(cause Index) { s.outAt[cause+1]++ })
	}
	for i := range s.nodes {
		s.outAt[i+1] += s.outAt[i]
	}
	s.out = make([]Index, s.outAt[len(s.nodes)])
	next := slices.Clone(s.outAt)
	for i := range s.nodes {
		for _, e := range s.edgesTo(Index(i)) {
			s.backwards = s.backwards || e.pred > Index(i)
		}
		s.eachCause(Index(i), func(cause Index) {
			s.backwards = s.backwards || cause > Index(i)
			s.out[next[cause]] = Index(i)
			next[cause]++
		})
	}
}
