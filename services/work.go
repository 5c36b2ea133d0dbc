package services

import (
	"context"
	"crypto/sha256"
	"math"
	"time"

	"tracelab/services/internal/faults"
)

// cost is what a step's own work takes, apart from everything that leads to it.
type cost struct {
	wait   time.Duration // median of the waiting: a database, a bank, a carrier
	rounds int           // median of the CPU time, in rounds of SHA-256 over 1 KiB (about a microsecond each)
}

// costOf is the cost of a step: of the step, never of the form, so that the forms differ in their carriers alone.
func costOf(step Step) cost {
	switch step {
	case Accept:
		return cost{2 * time.Millisecond, 60}
	case Reserve:
		return cost{6 * time.Millisecond, 60}
	case Charge:
		return cost{18 * time.Millisecond, 60}
	case Dispatch:
		return cost{14 * time.Millisecond, 60}
	case Notify:
		return cost{8 * time.Millisecond, 60}
	case Record:
		return cost{4 * time.Millisecond, 60}
	default: // Complete
		return cost{2 * time.Millisecond, 60}
	}
}

// spread is the standard deviation of a cost's logarithm: nine in ten draws lie between 0.7 and 1.5 medians.
const spread = 0.22

// work spends what the step costs this order. The draw depends on seed, order number and step alone. The context ends
// the waiting early.
func (e Experiment) work(ctx context.Context, step Step) error {
	wait, rounds := e.Cost(step)
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

// Cost is what the step costs this order: waiting, and CPU time in rounds of SHA-256 over 1 KiB.
func (e Experiment) Cost(step Step) (wait time.Duration, rounds int) {
	d, c := e.Draw("cost", string(step)), costOf(step)
	factor := func() float64 { return math.Exp(spread * d.NormFloat64()) }
	return time.Duration(float64(c.wait) * factor()).Round(time.Microsecond), int(float64(c.rounds) * factor())
}

// burn spends CPU time that no compiler can leave out.
func burn(rounds int) {
	var block [1024]byte
	for range rounds {
		sum := sha256.Sum256(block[:])
		copy(block[:], sum[:])
	}
}

// misbehave does the harm of the experiment's faults in this service, to the share of the orders that they hit: drawn
// from seed, order number, service and kind, so they hit the same orders in every form.
func (e Experiment) misbehave(ctx context.Context, service string) error {
	for _, f := range e.Faults {
		if !e.Hits(f) || f.Service != service {
			continue
		}
		if err := f.Act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Hits tells whether a fault hits this order.
func (e Experiment) Hits(f faults.Fault) bool {
	return e.Draw("fault", f.Service, f.Kind).Float64() < f.Share
}
