package services

import (
	"context"
	"crypto/sha256"
	"time"

	"tracelab/services/flows"
)

// work spends what the step costs this order. The draw depends on seed, order number and step alone. The context ends
// the waiting early.
func (e Experiment) work(ctx context.Context, row flows.Row) error {
	wait, rounds := e.Cost(row)
	burn(rounds)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Cost is what a step costs this order: waiting, and CPU time in rounds of SHA-256 over 1 KiB.
func (e Experiment) Cost(row flows.Row) (wait time.Duration, rounds int) {
	return row.Cost.Draw(e.Draw("cost", string(row.Step)))
}

// burn spends CPU time that no compiler can leave out.
func burn(rounds int) {
	var block [1024]byte
	for range rounds {
		sum := sha256.Sum256(block[:])
		copy(block[:], sum[:])
	}
}
