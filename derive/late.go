package derive

import (
	"slices"
	"time"
)

// Waits by which the lateness of timers is measured: of lengths that steps have, and of no whole number of milliseconds.
const (
	lateWaits    = 40
	shortestWait = 1300 * time.Microsecond
	longerBy     = 130 * time.Microsecond // each than the one before
)

// Lateness is how late timers end: some of their lateness, in order. The zero value says that they are on time.
type Lateness []time.Duration

// mostCosts bounds the costs of a step that lateness is taken from: of more, every so many are taken.
const mostCosts = 2000

// TimerLateness measures how late timers of this process end, by some that it waits for, which takes about 150 ms. A run's steps wait by timers: one
// that is told to wait as long as a step was seen to take would take longer by this.
func TimerLateness() Lateness {
	late := make([]time.Duration, lateWaits)
	for i := range late {
		wait := shortestWait + time.Duration(i)*longerBy
		began := time.Now()
		timer := time.NewTimer(wait)
		<-timer.C
		late[i] = max(0, time.Since(began)-wait)
	}
	slices.Sort(late)
	// What a busy machine adds once in a while is no timer's.
	most := 2 * late[lateWaits/2]
	for i := range late {
		late[i] = min(late[i], most)
	}
	return late
}

// middle is the median.
func (l Lateness) middle() time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)/2]
}

// before are costs without the lateness of the wait in them. A timer of Linux ends with a whole millisecond, so that what was seen are clusters a
// millisecond apart: each cost is taken with each lateness, which spreads a cluster over the waits that ended in it.
func (l Lateness) before(costs []float64) []float64 {
	if l.middle() == 0 {
		return costs
	}
	sorted := slices.Sorted(slices.Values(costs))
	every := 1 + len(sorted)/mostCosts
	list := make([]float64, 0, len(sorted)/every*len(l))
	for i := every / 2; i < len(sorted); i += every {
		for _, late := range l {
			list = append(list, max(0, sorted[i]-float64(late)))
		}
	}
	return list
}
