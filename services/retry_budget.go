package services

import (
	"sync"
	"time"
)

// Shape of a retry budget.
const (
	budgetWindow = 10 * time.Second // of calls that count as recent
	budgetSlices = 10               // that the window moves by
	// budgetReserve is how many retries in a window any step has, however few calls there are.
	budgetReserve = 3
)

// retryBudget lets only a share of the recent calls be retries, so a failing step gets at most (1 + share) times its load. A storm of retries
// would keep a service down that has recovered. It counts calls; failsafe-go's budget counts what is in flight, and a step that fails at once
// has hardly anything in flight, so every retry would pass.
type retryBudget struct {
	share float64 // 1 and more: no budget

	mu      sync.Mutex
	slices  [budgetSlices]struct{ calls, retries int }
	current int64 // number of the slice that is counted into, since the zero time of the clock
}

// called counts a call, not its retries.
func (b *retryBudget) called(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slices[b.move(now)].calls++
}

// retry tells whether a retry is within the budget, and counts it if so.
func (b *retryBudget) retry(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.move(now)
	var calls, retries int
	for _, s := range b.slices {
		calls, retries = calls+s.calls, retries+s.retries
	}
	if b.share < 1 && float64(retries+1) > b.share*float64(calls)+budgetReserve {
		return false
	}
	b.slices[at].retries++
	return true
}

// move empties the slices that have left the window and returns the current one.
func (b *retryBudget) move(now time.Time) int {
	number := now.UnixNano() / int64(budgetWindow/budgetSlices)
	for n := max(b.current+1, number-budgetSlices+1); n <= number; n++ {
		b.slices[n%budgetSlices] = struct{ calls, retries int }{}
	}
	b.current = max(b.current, number)
	return int(b.current % budgetSlices)
}
