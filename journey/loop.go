package journey

import "tracelab/journey/semconv"

// loop is a worker's loop: a span of kind INTERNAL that no journey starts at, because messages of journeys are received or
// handled below it.
type loop struct {
	root   Index
	spans  []Index // that it leads to, itself among them
	beside int     // how many of spans are in no journey, without the loop itself and spans that only receive or settle
}

// stands reports whether span i is a receive span that stands for the handling of a message.
func (s *Set) stands(i Index) bool {
	n := &s.nodes[i]
	return n.op == semconv.OperationReceive && n.handles() && s.anyProducer(s.edgesTo(i))
}

// isLoop reports whether the span from which the spans of this walk were reached is a worker's loop: below it, by calls,
// messages were received or handled that others sent.
func (f *journeyFinder) isLoop(root Index) bool {
	s := f.set
	if s.nodes[root].kind != KindInternal {
		return false
	}
	for _, i := range f.spans {
		for _, e := range s.edgesTo(i) {
			if i != root && s.carries(e) && f.mark[e.pred] != f.walk && f.top(i) == root {
				return true
			}
		}
	}
	for _, poll := range f.pollsBelow(root) {
		for _, l := range s.Span(poll).Links {
			if t := s.linkTarget(&s.nodes[poll], l.Ref); t != none && t != poll && f.mark[t] != f.walk {
				return true
			}
		}
	}
	return false
}

// top returns the topmost of a span's callers, or the span itself when nothing called it.
func (f *journeyFinder) top(i Index) Index {
	s := f.set
	if f.tops == nil {
		f.tops = make([]Index, len(s.nodes))
		var chain []Index
		for k := range f.tops {
			f.tops[k] = none
		}
		for k := range f.tops {
			at := Index(k)
			for ; f.tops[at] == none; at = s.nodes[at].caller {
				chain = append(chain, at)
				if s.nodes[at].caller == none {
					f.tops[at] = at
					break
				}
			}
			for _, c := range chain {
				f.tops[c] = f.tops[at]
			}
			chain = chain[:0]
		}
	}
	return f.tops[i]
}

// pollsBelow returns the polls below a root, by calls, whose messages others handle: they have no edges any more.
func (f *journeyFinder) pollsBelow(root Index) []Index {
	s := f.set
	if f.below == nil {
		f.below = make(map[Index][]Index)
		for i := range s.nodes {
			n := &s.nodes[i]
			if !n.is(tookMessages) || n.parent == none {
				continue
			}
			if e, _ := s.classify(n.parent, Index(i)); e.class == ClassCall {
				top := f.top(n.parent)
				f.below[top] = append(f.below[top], Index(i))
			}
		}
	}
	return f.below[root]
}

// addLoop keeps the spans of this walk as those of a loop.
func (f *journeyFinder) addLoop(root Index) {
	s := f.set
	l := loop{root: root, spans: append([]Index(nil), f.spans...)}
	f.loops[s.nodes[root].trace] = true
	f.spans = f.spans[:0]
	if s.loopsOf == nil {
		s.loopsOf = make(map[int32][]int32)
	}
	t := s.nodes[root].trace
	s.loopsOf[t] = append(s.loopsOf[t], int32(len(s.loops)))
	s.loops = append(s.loops, l)
}

// shareLoops marks as shared the spans that loops lead to and that are in no journey, so that no count has them.
func (f *journeyFinder) shareLoops() {
	s := f.set
	for k := range s.loops {
		l := &s.loops[k]
		for _, i := range l.spans {
			n := &s.nodes[i]
			if f.in[i] || n.is(isShared) {
				continue
			}
			n.flags |= isShared
			if i != l.root && n.op != semconv.OperationReceive {
				l.beside++
			}
		}
	}
}

// Loops returns the roots of workers' loops: spans of kind INTERNAL below which messages of journeys were received or handled.
// No journey starts at them.
func (s *Set) Loops() []Index {
	if s == nil {
		return nil
	}
	list := make([]Index, 0, len(s.loops))
	for _, l := range s.loops {
		list = append(list, l.root)
	}
	return list
}
