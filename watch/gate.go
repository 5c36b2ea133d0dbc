package watch

import (
	"fmt"
	"time"
)

// Times of the gate.
const (
	// MarkInterval is the time between two marks of a partition.
	MarkInterval = time.Second
	// HoldAfter is the limit after which verdicts are held: when some partition was last known to be up to date longer ago. It allows one second
	// of being behind, and three of missing marks.
	HoldAfter = 4 * time.Second
)

// gate decides when verdicts may be given: while the whole group is up to date. It has no clock and no goroutine: callers pass the time, measured
// from the watcher's start.
//
// It learns how far the other watchers are without comparing clocks. This watcher remembers when it wrote each of its own marks. The mark of another
// watcher names the marks that it had read before it asked where its partition ends. If one of ours is among them, then all records that
// the partition held when we wrote that one are settled. So a watcher that was paused cannot mistake old marks for new ones.
type gate struct {
	parts []part        // all partitions that the group reads
	last  map[part]mark // the newest mark of each
	own   []sent        // marks of this watcher, oldest first
	read  int64         // offset of the next mark to read

	at     time.Duration // of the last advance
	gated  time.Duration // time that passed while verdicts could be given
	held   bool          // the group is not up to date
	since  time.Duration // start of the hold
	behind part          // the partition that caused the last hold
}

// sent is a mark that this watcher wrote.
type sent struct {
	offset int64
	at     time.Duration // before the end of any partition was asked for
}

// mostSent limits the own marks that are remembered. A partition whose mark names none of them has been behind for minutes.
const mostSent = 128

// newGate returns a gate that holds verdicts until each partition is known to be up to date.
func newGate(now time.Duration) *gate {
	return &gate{last: map[part]mark{}, held: true, since: now, at: now}
}

// want sets the number of partitions of the input and of the work topic.
func (g *gate) want(inputs, works int32) {
	g.parts = g.parts[:0]
	for id := range inputs {
		g.parts = append(g.parts, part{input: true, id: id})
	}
	for id := range works {
		g.parts = append(g.parts, part{id: id})
	}
}

// wrote remembers a mark that this watcher wrote.
func (g *gate) wrote(offset int64, at time.Duration) {
	if len(g.own) == mostSent {
		g.own = g.own[1:]
	}
	g.own = append(g.own, sent{offset, at})
}

// heard takes in a mark of any watcher.
func (g *gate) heard(offset int64, p part, m mark) {
	g.read = offset + 1
	g.last[p] = m
}

// upToDate returns the last time at which a partition is known to have been up to date. It is false when no such time is known.
func (g *gate) upToDate(p part) (at time.Duration, known bool) {
	m, marked := g.last[p]
	if !marked {
		return 0, false
	}
	for _, s := range g.own { // all of them: acknowledgements may arrive out of order
		if s.offset < m.AsOf && (!known || s.at > at) {
			at, known = s.at, true
		}
	}
	return at, known
}

// state is the gate's answer at one time.
type state struct {
	Now    time.Duration // gated time
	Ready  bool          // verdicts may be given
	Held   time.Duration // how long the group has not been up to date; 0 while it is
	Behind part          // while it is not: the partition that is behind most
}

// advance sets the time and returns the gate's state. Records that were late may have changed what was due before a hold: actors begin their quiet anew
// when Ready is back.
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
	case g.held: // what passed since the last advance belongs to the hold
		g.held = false
		return state{Now: g.gated, Ready: true}
	}
	// A watcher that was paused has read nothing meanwhile: it counts at most the time that it may be behind.
	g.gated += min(passed, HoldAfter)
	return state{Now: g.gated, Ready: true}
}

// worst returns the partition that was last known to be up to date longest ago, and how long ago that was.
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
		return part{input: true}, HoldAfter + 1 // the partitions are not known yet
	}
	return worst, lag
}

// reason returns why a journey is incomplete that is judged during a hold.
func (s state) reason() string {
	if s.Behind.input {
		return fmt.Sprintf("partition %d of the input was behind", s.Behind.id)
	}
	return fmt.Sprintf("partition %d was behind", s.Behind.id)
}
