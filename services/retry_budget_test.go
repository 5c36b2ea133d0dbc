package services

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPropertyABudgetHolds: whenever calls and retries come, the retries of any window are at most the share of the calls of that window and the
// one before, and the reserve; and a retry is refused only when the budget of its window is used up.
func TestPropertyABudgetHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &retryBudget{share: rapid.Float64Range(0.01, 0.9).Draw(t, "share")}
		now := time.Unix(1_000_000, 0)
		var calls, retries []time.Time
		within := func(list []time.Time, window time.Duration) (n int) {
			for _, at := range list {
				if now.Sub(at) < window {
					n++
				}
			}
			return n
		}
		slice := budgetWindow / budgetSlices
		for range rapid.IntRange(1, 300).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, int(2*slice)).Draw(t, "pause")))
			if rapid.Bool().Draw(t, "call") {
				b.called(now)
				calls = append(calls, now)
				continue
			}
			if b.retry(now) {
				retries = append(retries, now)
				if most := b.share*float64(within(calls, budgetWindow)) + budgetReserve; float64(within(retries, budgetWindow-slice)) > most+1e-9 {
					t.Fatalf("%d retries within %v, the budget allows %.2f", within(retries, budgetWindow-slice), budgetWindow-slice, most)
				}
				continue
			}
			if least := b.share*float64(within(calls, budgetWindow-slice)) + budgetReserve; float64(within(retries, budgetWindow)+1) <= least-1e-9 {
				t.Fatalf("refused with %d retries within %v, the budget allows %.2f", within(retries, budgetWindow), budgetWindow, least)
			}
		}
	})
}
