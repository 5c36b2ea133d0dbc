package journey

import (
	"cmp"
	"slices"
)

// maxLookBack bounds how many earlier handlings of a message are searched for the one before another.
const maxLookBack = 256

// addRetries adds an edge of class retry to each span that handled a message again, for the same consumer, after the handling
// before it had failed. A link to that handling becomes this edge; its child stays its child.
func (s *Set) addRetries() {
	again := s.handlingsAgain()
	if len(again) == 0 {
		return
	}
	s.retries = make(map[Index][]Index)
	before := make(map[Index]Index)
	for _, handlings := range again {
		s.findRetries(handlings, before)
	}
	old, oldAt := s.in, s.inAt
	s.in, s.inAt = make([]edge, 0, len(old)+len(before)), make([]int32, len(oldAt))
	for i := range s.nodes {
		edges := old[oldAt[i]:oldAt[i+1]]
		s.in = append(s.in, edges...)
		if p, ok := before[Index(i)]; ok {
			own := s.in[len(s.in)-len(edges):]
			linked := slices.IndexFunc(own, func(e edge) bool { return e.pred == p })
			switch {
			case linked < 0:
				s.in = append(s.in, edge{pred: p, class: ClassRetry})
			case s.nodes[i].parent != p:
				own[linked] = edge{pred: p, class: ClassRetry}
			}
			if linked < 0 || s.nodes[i].parent != p {
				s.retries[p] = append(s.retries[p], Index(i))
			}
		}
		s.inAt[i+1] = int32(len(s.in))
	}
}

// handlingsAgain returns, by message of which a handling failed, all its handlings, if there are several.
func (s *Set) handlingsAgain() map[Index][]Index {
	var again map[Index][]Index
	if s.seen&(hasErrorStatus|hasErrorType) == 0 {
		return nil
	}
	handles := func(i int) bool { return s.nodes[i].handles() }
	for i := range s.nodes {
		if !s.nodes[i].failed() || !handles(i) {
			continue
		}
		for _, e := range s.edgesTo(Index(i)) {
			if s.carries(e) {
				if again == nil {
					again = make(map[Index][]Index)
				}
				again[e.pred] = nil
			}
		}
	}
	if again == nil {
		return nil
	}
	for i := range s.nodes {
		for _, e := range s.edgesTo(Index(i)) {
			if _, wanted := again[e.pred]; wanted && s.carries(e) && handles(i) {
				again[e.pred] = append(again[e.pred], Index(i))
			}
		}
	}
	for p, handlings := range again {
		if len(handlings) < 2 {
			delete(again, p)
		}
	}
	return again
}

// findRetries finds, for each handling of one message, the last one that ended before it began, and puts it into before if it
// failed. For a handling of several messages, that which ended last stays.
func (s *Set) findRetries(handlings []Index, before map[Index]Index) {
	byEnd := slices.SortedFunc(slices.Values(handlings), s.compareEnds)
	for _, c := range handlings {
		start := s.nodes[c].start
		n, _ := slices.BinarySearchFunc(byEnd, start, func(i Index, t int64) int {
			if s.nodes[i].end > t {
				return 1
			}
			return -1
		})
		for _, h := range slices.Backward(byEnd[max(0, n-maxLookBack):n]) {
			if h >= c || !s.sameHandling(h, c) {
				continue
			}
			if other, ok := before[c]; s.nodes[h].failed() && (!ok || s.compareEnds(other, h) < 0) {
				before[c] = h
			}
			break
		}
	}
}

// compareEnds orders spans by end; of several that end together, the lower id comes last.
func (s *Set) compareEnds(i, j Index) int {
	if a, b := s.nodes[i].end, s.nodes[j].end; a != b {
		return cmp.Compare(a, b)
	}
	if s.lower(i, j) {
		return 1
	}
	return -1
}

// sameHandling reports whether two spans handle a message for the same consumer: where a group has no name, of one span name;
// and of one destination where both name it.
func (s *Set) sameHandling(i, j Index) bool {
	a, b := &s.nodes[i], &s.nodes[j]
	if !s.sameConsumer(i, j) || a.topic != b.topic && a.topic != 0 && b.topic != 0 {
		return false
	}
	return a.group != 0 && b.group != 0 || s.spans[a.span].Name == s.spans[b.span].Name
}
