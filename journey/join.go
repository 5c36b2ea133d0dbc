package journey

// findJoins finds the joins: spans with several parents that began after all of these had ended, within the nearest span that
// called all of them, directly or through others. That span becomes the caller of the join, and the parents lead to it by
// continuation. findJoins reports whether it found any.
func (s *Set) findJoins() (found bool) {
	if len(s.joins) == 0 {
		return false
	}
	below := make(map[Index]int) // by span: how many of the parents it called
	for _, i := range s.joins {
		parents := s.parentEdges(i)
		if len(parents) < 2 || !s.ended(parents, s.nodes[i].start) {
			continue
		}
		a := s.commonCaller(parents, below)
		if a == none || a == i || s.nodes[a].start > s.nodes[i].start || !s.tolerates(a, i, s.nodes[i].end-s.nodes[a].end) {
			continue
		}
		for _, e := range parents {
			e.class = ClassContinuation
		}
		s.nodes[i].caller = a
		found = true
	}
	return found
}

// parentEdges returns the edges from the parents of span i: its parent, and those that links name.
func (s *Set) parentEdges(i Index) []*edge {
	n := &s.nodes[i]
	links := s.spans[n.span].Links
	var list []*edge
	edges := s.edgesTo(i)
	for k := range edges {
		e := &edges[k]
		is := e.pred == n.parent
		for l := range links {
			is = is || links[l].isChildOf() && s.linkTarget(n, links[l].Ref) == e.pred
		}
		if is && e.class != ClassMessage && e.class != ClassRetry {
			list = append(list, e)
		}
	}
	return list
}

func (s *Set) ended(edges []*edge, by int64) bool {
	for _, e := range edges {
		if s.nodes[e.pred].end > by {
			return false
		}
	}
	return true
}

// commonCaller returns the nearest span that called all causes of these edges, directly or through others, or none.
func (s *Set) commonCaller(edges []*edge, below map[Index]int) Index {
	clear(below)
	for k, e := range edges {
		steps := 0 // callers by link may still form a circle
		for at := s.nodes[e.pred].caller; at != none && steps <= len(s.nodes); at = s.nodes[at].caller {
			if steps++; below[at] != k {
				continue
			}
			if below[at]++; k == len(edges)-1 {
				return at
			}
		}
	}
	return none
}
