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

// pather collects the segments of a path from its end to its beginning.
type pather struct {
	journey  *Journey
	set      *Set
	base     int64
	segments []Segment
	stack    []frame
	active   []int32 // the replies that are being explained: none is chosen again within itself
	found    []Index // a stack for reach
}

// frame is a span whose interval [lo,t] is still to be split among itself and its calls from next on, or a walk.
type frame struct {
	walk  *walk
	span  Index
	next  int32
	lo, t int64
}

// newPather makes a pather with room for the path of a small journey.
func newPather(j *Journey) pather {
	n := min(len(j.spans), 64)
	return pather{journey: j, set: j.set, base: j.start, segments: make([]Segment, 0, 2*n+1), stack: make([]frame, 0, n)}
}

func (p *pather) work(span Index, from, to int64) {
	if from < to {
		p.segments = append(p.segments, Segment{Start: time.Duration(from - p.base), End: time.Duration(to - p.base), Span: span, From: none})
	}
}

func (p *pather) wait(class Class, span, from Index, start, end int64) {
	if start < end {
		p.segments = append(p.segments, Segment{Start: time.Duration(start - p.base), End: time.Duration(end - p.base), Span: span, From: from, Wait: true, Class: class})
	}
}

// run explains all that was pushed, and returns the segments in their order in time.
//
// An interval of a span is split among the span and its calls. A call is on the path when it ends no later than the point that
// is explained so far, within the tolerance; what exceeds that point is clipped. Of calls in parallel, the one that ends last
// is on the path. A reply that the span waited for is like a call, explained by a walk.
func (p *pather) run() []Segment {
	for len(p.stack) > 0 {
		f := &p.stack[len(p.stack)-1]
		if w := f.walk; w != nil {
			if p.advance(w) && w.t > w.start {
				p.begin(w)
			} else {
				p.endWalk(w)
			}
			continue
		}
		call, from, to := p.nextCall(f)
		if call == none {
			p.work(f.span, f.lo, f.t)
			p.stack = p.stack[:len(p.stack)-1]
			continue
		}
		p.work(f.span, to, f.t)
		f.t = from
		if call < none {
			p.pushReply(replyOf(call), from, to)
		} else {
			p.push(call, from, to)
		}
	}
	slices.Reverse(p.segments)
	return p.segments
}

func (p *pather) endWalk(w *walk) {
	p.stack = p.stack[:len(p.stack)-1]
	if w.reply >= 0 {
		p.active = p.active[:len(p.active)-1]
	}
}

// push begins to explain the time of a span from lo to hi, with its first call that may be on the path.
func (p *pather) push(span Index, lo, hi int64) {
	s := p.set
	latest := hi + s.nodes[span].mostTolerance()
	calls := s.callsOf(span)
	skip := 0
	if len(calls) > 0 && s.interval(calls[0]).end > latest {
		skip = sort.Search(len(calls), func(k int) bool { return s.interval(calls[k]).end <= latest })
	}
	p.stack = append(p.stack, frame{span: span, next: s.callsAt[span] + int32(skip), lo: lo, t: hi})
}

// nextCall returns the next call or reply on the path, and the part of [lo,t] that it takes, or none.
func (p *pather) nextCall(f *frame) (call Index, from, to int64) {
	s := p.set
	for end := s.callsAt[f.span+1]; f.next < end; {
		call := s.calls[f.next]
		c := s.interval(call)
		if c.end <= f.lo || f.t <= f.lo {
			break // as do all that follow, it ends before the interval
		}
		f.next++
		if call >= 0 && s.units[call] != nil && !p.journey.Contains(call) {
			continue // of other messages of the batch
		}
		if c.end > f.t && !s.tolerates(f.span, s.lastOf(call), c.end-f.t) || call < none && slices.Contains(p.active, replyOf(call)) {
			continue
		}
		if from, to := max(c.start, f.lo), min(c.end, f.t); from < to {
			return call, from, to
		}
	}
	return none, 0, 0
}

// lastOf returns the span with which an item of a list of calls ends.
func (s *Set) lastOf(call Index) Index {
	if call < none {
		return s.replies[replyOf(call)].back
	}
	return call
}

// ResponsePath returns the segments that explain the caller wait: sorted, touching each other, adding up to it exactly.
// It is empty for a rootless journey. It is computed at each call, in O(n) for n calls below the root.
func (j *Journey) ResponsePath() []Segment {
	if !j.rooted() {
		return nil
	}
	p := newPather(j)
	p.push(j.root, j.start, j.set.nodes[j.root].end)
	return j.cutStarved(p.run())
}
