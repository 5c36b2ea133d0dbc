package journey

import (
	"cmp"
	"slices"
)

// findCallers finds for each span the one whose call it is: its parent, by an edge of class call. A receive span may be
// a caller by a link; then the calls might form a circle, which is cut at its earliest span.
func (s *Set) findCallers() {
	byLink := false
	for i := range s.nodes {
		n := &s.nodes[i]
		for _, e := range s.edgesTo(Index(i)) {
			if e.class == ClassCall {
				n.caller = e.pred
				byLink = byLink || e.pred != n.parent
				break
			}
		}
	}
	if byLink {
		s.cutCycles(func(i Index) *Index { return &s.nodes[i].caller }, func(i Index) { s.note(ruleLinkCycle, i, 0) })
	}
}

// findEffectiveEnds sets eff(c) = min(c.end, eff(caller)) along all calls, callers first.
func (s *Set) findEffectiveEnds() {
	done := make([]bool, len(s.nodes))
	var chain []Index
	for i := range s.nodes {
		for at := Index(i); at != none && !done[at]; at = s.nodes[at].caller {
			chain = append(chain, at)
			done[at] = true
		}
		for len(chain) > 0 {
			n := &s.nodes[chain[len(chain)-1]]
			chain = chain[:len(chain)-1]
			n.eff = n.end
			if n.caller != none {
				n.eff = min(n.end, s.nodes[n.caller].eff)
			}
		}
	}
}

// sortCalls lists the calls of each span in the order in which a scan tries them: effective end descending, start
// descending, id ascending.
func (s *Set) sortCalls() {
	s.callsAt = make([]int32, len(s.nodes)+1)
	for i := range s.nodes {
		if p := s.nodes[i].caller; p != none {
			s.callsAt[p+1]++
		}
	}
	for i := range s.nodes {
		s.callsAt[i+1] += s.callsAt[i]
	}
	s.calls = make([]Index, s.callsAt[len(s.nodes)])
	next := slices.Clone(s.callsAt)
	for i := len(s.nodes) - 1; i >= 0; i-- { // latest first: mostly in order then
		if p := s.nodes[i].caller; p != none {
			s.calls[next[p]] = Index(i)
			next[p]++
		}
	}
	for i := range s.nodes {
		if calls := s.callsOf(Index(i)); len(calls) > 1 {
			slices.SortFunc(calls, s.compareCalls)
		}
	}
}

func (s *Set) callsOf(i Index) []Index { return s.calls[s.callsAt[i]:s.callsAt[i+1]] }

func (s *Set) compareCalls(i, j Index) int {
	a, b := &s.nodes[i], &s.nodes[j]
	if a.eff != b.eff {
		return cmp.Compare(b.eff, a.eff)
	}
	if a.start != b.start {
		return cmp.Compare(b.start, a.start)
	}
	return cmp.Compare(i, j) // of one start, so by id
}
