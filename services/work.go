package services

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"time"

	"tracelab/services/faults"
)

// cost is what a step's own work takes, apart from everything that leads to it.
type cost struct {
	wait   time.Duration // median of the waiting: a database, a bank, a carrier
	rounds int           // median of the CPU time, in rounds of SHA-256 over 1 KiB (about a microsecond each)
}

// costs are the costs of the steps: of the step, never of the form, so that the forms differ in their carriers alone.
func costs() map[Step]cost {
	return map[Step]cost{
		Accept:   {2 * time.Millisecond, 60},
		Reserve:  {6 * time.Millisecond, 60},
		Charge:   {18 * time.Millisecond, 60},
		Dispatch: {14 * time.Millisecond, 60},
		Notify:   {8 * time.Millisecond, 60},
		Record:   {4 * time.Millisecond, 60},
		Complete: {2 * time.Millisecond, 60},
	}
}

// costOf is the cost of a step. A step without a cost is an error: it must not get another's in silence.
func costOf(step Step) (cost, error) {
	c, ok := costs()[step]
	if !ok {
		return cost{}, fmt.Errorf("step %s has no cost: give it one in services/work.go", step)
	}
	return c, nil
}

// spread is the standard deviation of a cost's logarithm: nine in ten draws lie between 0.7 and 1.5 medians.
const spread = 0.22

// work spends what the step costs this order. The draw depends on seed, order number and step alone. The context ends
// the waiting early.
func (e Experiment) work(ctx context.Context, step Step) error {
	wait, rounds, err := e.Cost(step)
	if err != nil {
		return err
	}
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

// Cost is what the step costs this order: waiting, and CPU time in rounds of SHA-256 over 1 KiB. An unknown step is an
// error.
func (e Experiment) Cost(step Step) (wait time.Duration, rounds int, err error) {
	c, err := costOf(step)
	if err != nil {
		return 0, 0, err
	}
	d := e.Draw("cost", string(step))
	factor := func() float64 { return math.Exp(spread * d.NormFloat64()) }
	return time.Duration(float64(c.wait) * factor()).Round(time.Microsecond), int(float64(c.rounds) * factor()), nil
}

// burn spends CPU time that no compiler can leave out.
func burn(rounds int) {
	var block [1024]byte
	for range rounds {
		sum := sha256.Sum256(block[:])
		copy(block[:], sum[:])
	}
}

// misbehave acts on the experiment's faults in this service, to the share of the orders that they hit: drawn
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
