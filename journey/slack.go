package journey

import (
	"cmp"
	"slices"
	"time"
)

// Branch is the end of a chain of work: a span with all calls below it, from which no message and no detached work goes on.
// The part of a journey that ends last is a Branch in any case.
type Branch struct {
	Span  Index         // the first span of the part
	Via   Index         // the span that led to it, or -1
	End   time.Duration // the latest effective end in it, from the journey's start
	Slack time.Duration // how much later it could have ended without the journey ending later: completion − end
}

// Branches returns the branches of a journey, those with the least slack first: the first has none, and is why the journey
// ended when it did. O(n log n).
func (j *Journey) Branches() []Branch {
	s := j.set
	heads := make([]int32, len(j.spans))        // by position: that of the first span of its part
	ends := make([]time.Duration, len(j.spans)) // by position of a part's first span
	passed := make([]bool, len(j.spans))        // likewise: something goes on after it
	var chain []int32
	for at := range j.spans {
		heads[at] = -1
	}
	for at := range j.spans {
		p := int32(at)
		for heads[p] < 0 {
			chain = append(chain, p)
			up, ok := j.callerAt(p)
			if !ok {
				heads[p] = p
				break
			}
			p = up
		}
		head := heads[p]
		for _, q := range chain {
			heads[q] = head
		}
		chain = chain[:0]
		ends[head] = max(ends[head], time.Duration(s.nodes[j.spans[at]].eff-j.start))
	}
	for at, i := range j.spans {
		for _, e := range s.edgesTo(i) {
			if up, ok := j.position(e.pred); ok && heads[up] != heads[at] {
				passed[heads[up]] = true
			}
		}
	}
	var list []Branch
	for head, end := range ends {
		if heads[head] == int32(head) && (!passed[head] || end == j.Completion()) {
			list = append(list, Branch{Span: j.spans[head], Via: j.lastCause(j.spans[head]), End: end, Slack: j.Completion() - end})
		}
	}
	slices.SortFunc(list, func(a, b Branch) int { return cmp.Or(cmp.Compare(a.Slack, b.Slack), cmp.Compare(a.Span, b.Span)) })
	return list
}

// callerAt returns the position of the caller of the span at a position.
func (j *Journey) callerAt(at int32) (int32, bool) {
	c := j.set.nodes[j.spans[at]].caller
	if c == none {
		return 0, false
	}
	up, ok := j.position(c)
	return int32(up), ok
}

// lastCause returns the cause of a span in the journey that was ready last, or none.
func (j *Journey) lastCause(i Index) Index {
	best, latest := none, int64(0)
	for _, e := range j.set.edgesTo(i) {
		if ready := j.set.ready(e, i); j.Contains(e.pred) && (best == none || ready > latest) {
			best, latest = e.pred, ready
		}
	}
	return best
}
