package journey

import (
	"cmp"
	"slices"
	"time"
)

// Replay is the outcome of a journey that was replayed with changed work.
type Replay struct {
	CallerWait time.Duration // 0 for a rootless journey
	Completion time.Duration
}

// WhatIf replays a journey with the work of some spans changed. factor returns by what to multiply a span's own work: 1 leaves
// it as it was, 0 removes it; a nil factor leaves all as it was. Only work changes: a span starts as long after its cause was
// ready as it did, a caller goes on when the calls that it waited for have ended, and work with several causes waits for the
// last of them. Queues stay as long as they were, so WhatIf tells what a step costs this journey, not what the load of a
// whole system would become. With factor 1 for all it returns the original times. O(n log n).
func (j *Journey) WhatIf(factor func(Index) float64) Replay { return j.Replayer().WhatIf(factor) }

// Replayer replays one journey several times; it computes once what does not depend on the factors. It must not be used by
// several goroutines at a time.
type Replayer struct{ replay replay }

// Replayer returns a Replayer of the journey: O(n log n).
func (j *Journey) Replayer() *Replayer {
	r := replay{Journey: j, clocks: make([]clock, len(j.spans)), callers: make([]int32, len(j.spans))}
	for at := range j.spans {
		r.callers[at] = -1
		if up, ok := j.callerAt(int32(at)); ok {
			r.callers[at] = up
		}
	}
	r.moments = r.sortMoments()
	return &Replayer{r}
}

// WhatIf replays the journey as Journey.WhatIf does: O(n + e log n) for e edges.
func (r *Replayer) WhatIf(factor func(Index) float64) Replay { return r.replay.run(factor) }

func (r *replay) run(factor func(Index) float64) Replay {
	if r.Journey == nil { // a zero Replayer
		return Replay{}
	}
	if factor == nil {
		factor = func(Index) float64 { return 1 }
	}
	r.factor = factor
	clear(r.clocks)
	for _, m := range r.moments {
		if m.end {
			r.finish(m.at)
		} else {
			r.begin(m.at)
		}
	}
	var x Replay
	for at, i := range r.spans {
		if n := &r.set.nodes[i]; n.eff >= n.start { // leaves out spans that began after their caller's end
			x.Completion = max(x.Completion, time.Duration(r.clocks[at].now-r.start))
		}
	}
	if r.rooted() {
		at, _ := r.position(r.root)
		x.CallerWait = time.Duration(r.clocks[at].now - r.start)
	}
	return x
}

// clock is how far a span has got: its original time then is the time now of the replay.
type clock struct {
	then, now    int64
	begun, ended bool
	calls        int32 // how many of its calls are open
	factor       float64
}

// replay goes once through the beginnings and effective ends of a journey's spans, in their original order: whatever a
// moment depends on comes before it.
type replay struct {
	*Journey
	factor  func(Index) float64
	clocks  []clock // by position in spans
	callers []int32 // by position, -1 for none
	moments []spanMoment
}

// spanMoment is the beginning or the end of a span.
type spanMoment struct {
	time  int64
	order int64 // among those of one time
	at    int32
	end   bool
}

// sortMoments lists the beginnings and ends of all spans by time. At one time ends come before beginnings, a call ends before
// its caller, and a caller begins before its call; a span without length ends right after it began.
func (r *replay) sortMoments() []spanMoment {
	const rank = 1 << 40 // above all depths
	deep := r.depths()
	list := make([]spanMoment, 0, 2*len(r.spans))
	for at, i := range r.spans {
		n := &r.set.nodes[i]
		depth := int64(deep[at])
		end := spanMoment{max(n.start, n.eff), -depth, int32(at), true}
		if n.eff <= n.start {
			end.order += 2 * rank
		}
		list = append(list, spanMoment{n.start, rank + depth, int32(at), false}, end)
	}
	slices.SortFunc(list, func(a, b spanMoment) int {
		if a.time != b.time {
			return cmp.Compare(a.time, b.time)
		}
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.at, b.at))
	})
	return list
}

// depths returns how many callers each span has above it.
func (r *replay) depths() []int32 {
	deep := make([]int32, len(r.spans))
	var chain []int32
	for at := range r.spans {
		for p := int32(at); p >= 0 && deep[p] == 0; {
			chain = append(chain, p)
			p = r.callers[p]
		}
		for len(chain) > 0 {
			p := chain[len(chain)-1]
			chain = chain[:len(chain)-1]
			deep[p] = 1
			if up := r.callers[p]; up >= 0 {
				deep[p] = deep[up] + 1
			}
		}
	}
	return deep
}

// advance moves a span's clock to the original time to: its own work is scaled by its factor, waiting for calls is not.
func (r *replay) advance(at int32, to int64) int64 {
	c := &r.clocks[at]
	if c.calls == 0 {
		c.now += scaled(to-c.then, c.factor)
	} else {
		c.now += to - c.then
	}
	c.then = to
	return c.now
}

func scaled(ns int64, factor float64) int64 {
	if factor == 1 {
		return ns
	}
	return int64(float64(ns) * factor)
}

func (r *replay) begin(at int32) {
	s, i := r.set, r.spans[at]
	start := s.nodes[i].start
	now := start
	if i != r.root {
		now = r.beginning(at, start)
	}
	factor := r.factor(i)
	r.clocks[at] = clock{then: start, now: now, begun: true, factor: max(0, factor)}
	if up := r.callers[at]; up >= 0 && r.clocks[up].begun {
		r.clocks[up].calls++
	}
}

// beginning returns when a span begins: as long after the cause that was ready last as it did, and not before any other
// cause is ready. Without a cause it begins when it did.
func (r *replay) beginning(at int32, start int64) int64 {
	s, i := r.set, r.spans[at]
	var latest, now, others int64
	found := false
	for _, e := range s.edgesTo(i) {
		up, ok := r.position(e.pred)
		if !ok || !r.clocks[up].begun {
			continue
		}
		c := &r.clocks[up]
		if !c.ended {
			r.advance(int32(up), start)
		}
		others = max(others, c.now)
		if after := c.now + start - c.then; !found || c.then > latest || c.then == latest && after > now {
			latest, now, found = c.then, after, true
		}
	}
	if !found {
		return start
	}
	return max(now, others)
}

// finish ends a span, and lets its caller go on if it waited for that.
func (r *replay) finish(at int32) {
	n := &r.set.nodes[r.spans[at]]
	now := r.advance(at, max(n.start, n.eff))
	r.clocks[at].ended = true
	up := r.callers[at]
	if up < 0 || !r.clocks[up].begun || r.clocks[up].ended {
		return
	}
	c := &r.clocks[up]
	c.calls--
	c.now = max(c.now, now)
	c.then = max(c.then, n.eff)
}
