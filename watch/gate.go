package watch

import (
	"fmt"
	"time"
)

// Times of the gate.
const (
	// MarkInterval is the time between two marks of a partition.
	MarkInterval = time.Second
	// HoldAfter is how long ago each partition must have been up to date, at most: one second that a partition may be behind, and three for
	// which its mark may be missing. Beyond it all verdicts are held.
	HoldAfter = 4 * time.Second
)

// gate decides when verdicts may be given: while the whole group is up to date. It has no clock and no goroutine: times are those since the
// watcher's start.
//
// How far the others are is told without comparing clocks. This watcher notes when it wrote each mark of its own. Another one says with its
// mark which marks it had read before it asked how far its partition goes; if one of ours is among them, then all that the partition held when we
// wrote that mark has been handled. So a watcher that was paused cannot take old marks for new ones.
type gate struct {
	quiet time.Duration // that has to pass after a hold
	parts []part        // that somebody must be up to date with
	last  map[part]mark
	own   []sent // oldest first
	read  int64  // offset of the next mark that is not read

	at     time.Duration // of the last advance
	gated  time.Duration // time that passed while the group was up to date
	held   bool
	since  time.Duration // when the hold began
	back   time.Duration // when the group was up to date again
	behind part          // the partition that held last
}

// sent is a mark of this watcher.
type sent struct {
	offset int64
	at     time.Duration // before it was written
}

// mostSent bounds the own marks that are remembered. A partition that has seen none of them has been behind for long.
const mostSent = 128

// newGate makes a gate that is held until each partition is known to be up to date.
func newGate(quiet time.Duration, now time.Duration) *gate {
	return &gate{quiet: quiet, last: map[part]mark{}, held: true, since: now, at: now}
}

// want sets which partitions there are.
func (g *gate) want(inputs, works int32) {
	g.parts = g.parts[:0]
	for id := range inputs {
		g.parts = append(g.parts, part{input: true, id: id})
	}
	for id := range works {
		g.parts = append(g.parts, part{id: id})
	}
}

// wrote notes a mark that this watcher wrote.
func (g *gate) wrote(offset int64, at time.Duration) {
	if len(g.own) == mostSent {
		g.own = g.own[1:]
	}
	g.own = append(g.own, sent{offset, at})
}

// heard notes a mark that was read, anybody's.
func (g *gate) heard(offset int64, p part, m mark) {
	g.read = offset + 1
	g.last[p] = m
}

// upToDate returns when a partition was up to date at last, as far as its last mark shows.
func (g *gate) upToDate(p part) (at time.Duration, known bool) {
	m, marked := g.last[p]
	if !marked {
		return 0, false
	}
	for _, s := range g.own { // acknowledgements may come in another order
		if s.offset < m.AsOf && (!known || s.at > at) {
			at, known = s.at, true
		}
	}
	return at, known
}

// state is what a gate says.
type state struct {
	Now    time.Duration // gated
	Ready  bool          // verdicts may be given
	Held   time.Duration // for how long the group has not been up to date; 0 while it is
	Behind part          // while it is not: which partition is behind most
}

// advance lets time pass.
func (g *gate) advance(now time.Duration) state {
	passed := now - g.at
	g.at = now
	worst, lag := g.worst(now)
	switch {
	case lag > HoldAfter:
		if !g.held {
			g.held, g.since = true, now
		}
		g.behind = worst
		return state{Now: g.gated, Held: max(now-g.since, 1), Behind: worst}
	case g.held:
		g.held, g.back = false, now
	}
	if now-g.back < g.quiet { // quiet starts anew: what was due before the hold waits for what it brings
		return state{Now: g.gated}
	}
	// A watcher that stood still has seen nothing meanwhile: no more time has passed than it may be behind.
	g.gated += min(passed, HoldAfter)
	return state{Now: g.gated, Ready: true}
}

// worst returns the partition of which the oldest news are known, and how old they are.
func (g *gate) worst(now time.Duration) (worst part, lag time.Duration) {
	for _, p := range g.parts {
		at, known := g.upToDate(p)
		if !known {
			return p, now + HoldAfter + 1
		}
		if now-at > lag {
			worst, lag = p, now-at
		}
	}
	if len(g.parts) == 0 {
		return part{input: true}, HoldAfter + 1 // what there is, is not known yet
	}
	return worst, lag
}

// reason says why a verdict was given in spite of a hold.
func (s state) reason() string {
	if s.Behind.input {
		return fmt.Sprintf("partition %d of the input was behind", s.Behind.id)
	}
	return fmt.Sprintf("partition %d was behind", s.Behind.id)
}
