package journey

import (
	"slices"
	"sort"
	"time"
)

// Segment is a piece of a path: work of a span itself, or a wait of a span for another one.
type Segment struct {
	Start, End time.Duration // from the journey's start
	Span       Index         // the span that worked, or that waited
	From       Index         // of a wait: the span it waited for, or -1 when that is unexplained
	Wait       bool
	Class      Class // of a wait
}

// Duration returns the length of the segment.
func (g Segment) Duration() time.Duration { return g.End - g.Start }

// scanner collects the segments of a path from its end to its beginning.
type scanner struct {
	set      *Set
	base     int64
	segments []Segment
	stack    []scanFrame
}

// scanFrame is a span whose interval [lo,t] is still to be split among itself and its calls from next on.
type scanFrame struct {
	span  Index
	next  int32
	lo, t int64
}

// newScanner has room for the path of a small journey at once.
func newScanner(j *Journey) scanner {
	n := min(len(j.spans), 64)
	return scanner{set: j.set, base: j.start, segments: make([]Segment, 0, 2*n+1), stack: make([]scanFrame, 0, n)}
}

func (c *scanner) work(span Index, from, to int64) {
	if from < to {
		c.segments = append(c.segments, Segment{Start: time.Duration(from - c.base), End: time.Duration(to - c.base), Span: span, From: none})
	}
}

func (c *scanner) wait(class Class, span, from Index, start, end int64) {
	if start < end {
		c.segments = append(c.segments, Segment{Start: time.Duration(start - c.base), End: time.Duration(end - c.base), Span: span, From: from, Wait: true, Class: class})
	}
}

// scan splits [lo,hi] among a span and its calls. A call is on the path when it ends no later than the point that is
// explained so far, within the span's tolerance; scan clips what exceeds that point. Of calls in parallel, the one that ends
// last is on the path.
func (c *scanner) scan(span Index, lo, hi int64) {
	c.push(span, lo, hi)
	for len(c.stack) > 0 {
		f := &c.stack[len(c.stack)-1]
		call, from, to := c.nextCall(f)
		if call == none {
			c.work(f.span, f.lo, f.t)
			c.stack = c.stack[:len(c.stack)-1]
			continue
		}
		c.work(f.span, to, f.t)
		f.t = from
		c.push(call, from, to)
	}
}

// push begins a span, at its first call that may be on the path.
func (c *scanner) push(span Index, lo, hi int64) {
	s := c.set
	latest := hi + s.nodes[span].tolerance()
	calls := s.callsOf(span)
	skip := 0
	if len(calls) > 0 && s.nodes[calls[0]].eff > latest {
		skip = sort.Search(len(calls), func(k int) bool { return s.nodes[calls[k]].eff <= latest })
	}
	c.stack = append(c.stack, scanFrame{span, s.callsAt[span] + int32(skip), lo, hi})
}

// nextCall returns the next call on the path and the part of [lo,t] that it takes, or none.
func (c *scanner) nextCall(f *scanFrame) (call Index, from, to int64) {
	s := c.set
	latest := f.t + s.nodes[f.span].tolerance()
	for end := s.callsAt[f.span+1]; f.next < end; {
		call := s.calls[f.next]
		n := &s.nodes[call]
		if n.eff <= f.lo || f.t <= f.lo {
			break // as do all that follow, it ends before the interval
		}
		f.next++
		if n.eff > latest {
			continue
		}
		if from, to := max(n.start, f.lo), min(n.eff, f.t); from < to {
			return call, from, to
		}
	}
	return none, 0, 0
}

// ResponsePath returns the segments that explain the caller wait: sorted, touching each other, adding up to it exactly.
// It is empty for a rootless journey. It is computed at each call, in O(n) for n calls below the root.
func (j *Journey) ResponsePath() []Segment {
	if !j.rooted() {
		return nil
	}
	c := newScanner(j)
	c.scan(j.root, j.start, j.set.nodes[j.root].end)
	slices.Reverse(c.segments)
	return c.segments
}
