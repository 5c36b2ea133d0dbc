package journey

import (
	"cmp"
	"slices"
)

// findCallers finds for each span the one whose call it is: its parent, by an edge of class call, else the first target of a
// link with such an edge. Calls by links might form a circle, which is cut at its earliest span.
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
	byLink = s.findJoins() || byLink
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
	for _, r := range s.replies {
		s.callsAt[r.waiter+1]++
	}
	for i := range s.nodes {
		s.callsAt[i+1] += s.callsAt[i]
	}
	s.calls = make([]Index, s.callsAt[len(s.nodes)])
	next := slices.Clone(s.callsAt)
	for k, r := range s.replies {
		s.calls[next[r.waiter]] = callOfReply(k)
		next[r.waiter]++
	}
	for i := len(s.nodes) - 1; i >= 0; i-- { // latest first, so that most lists need little sorting
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
	a, b := s.interval(i), s.interval(j)
	if a.end != b.end {
		return cmp.Compare(b.end, a.end)
	}
	if a.start != b.start {
		return cmp.Compare(b.start, a.start)
	}
	if i >= 0 && j >= 0 {
		return cmp.Compare(i, j) // of one start, so by id
	}
	return cmp.Or(cmp.Compare(a.span, b.span), cmp.Compare(j, i)) // a call before what it sent for
}

// A list of calls has replies, too: reply k is the Index none-1-k, below all others.
func callOfReply(k int) Index  { return none - 1 - Index(k) }
func replyOf(call Index) int32 { return int32(none - 1 - call) }

// interval is the time for which a caller waits for an item of its list of calls.
type interval struct {
	start, end int64
	span       Index // the call, or the span that sent for a reply
}

func (s *Set) interval(call Index) interval {
	if call < none {
		r := &s.replies[replyOf(call)]
		return interval{s.nodes[r.sent].start, r.end, r.sent}
	}
	n := &s.nodes[call]
	return interval{n.start, n.eff, call}
}
