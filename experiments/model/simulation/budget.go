package simulation

import "time"

// budget limits retries to a share of the calls: each call earns that share of a retry, up to a reserve.
type budget struct {
	share  float64 // 0: no limit
	earned float64
}

// reserve is how many retries may be made at once.
const reserve = 10

func newBudget(share float64) *budget {
	return &budget{share: share, earned: reserve}
}

func (b *budget) call() { b.earned = min(reserve, b.earned+b.share) }

// spend tells whether one more retry is allowed, and takes it.
func (b *budget) spend() bool {
	if b.share == 0 {
		return true
	}
	if b.earned < 1 {
		return false
	}
	b.earned--
	return true
}

// Breaker opens after so many failures one after another, refuses for a time, and then lets one call through to see.
type Breaker struct {
	Failures int // in a row; 0 is no breaker
	Open     time.Duration

	inRow   int
	until   time.Duration
	probing bool
}

// allow tells whether a call may be made.
func (b *Breaker) allow(now time.Duration) bool {
	switch {
	case b.Failures == 0 || b.inRow < b.Failures:
		return true
	case now < b.until || b.probing:
		return false
	}
	b.probing = true
	return true
}

// record takes the end of a call that was allowed.
func (b *Breaker) record(now time.Duration, ok bool) {
	b.probing = false
	if ok {
		b.inRow = 0
		return
	}
	b.inRow++
	if b.Failures > 0 && b.inRow >= b.Failures {
		b.until = plus(now, b.Open)
	}
}
