package services

import (
	"context"
	"errors"
	"fmt"

	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// claim is the right to have the effect of a step for an order: one at a time in this process.
type claim struct {
	store  *Store
	key    effectKey
	before uint64 // the handling that has had the effect already; 0 for none
}

// claim waits until nobody in this process works on the step for the unit, and claims it. End must be called.
func (s *Store) claim(ctx context.Context, key effectKey) (*claim, error) {
	for {
		s.mu.Lock()
		working, busy := s.working[key]
		if !busy {
			s.working[key] = make(chan struct{})
		}
		s.mu.Unlock()
		if !busy {
			break
		}
		select {
		case <-working:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	c := &claim{store: s, key: key}
	var err error
	if c.before, err = s.kept.Find(ctx, key.unit, key.effect()); err != nil {
		c.end()
		return nil, unnoted(key.step, err)
	}
	return c, nil
}

// note notes that the handling had the effect, and returns the handling whose effect stands: another process may have had it meanwhile. It
// happens before anybody is told that the step is done, and whether or not the caller still waits.
func (c *claim) note(ctx context.Context, handling uint64) (stands uint64, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if stands, err = c.store.kept.Put(ctx, c.key.unit, c.key.effect(), handling); err != nil {
		return 0, unnoted(c.key.step, err)
	}
	return stands, nil
}

// unnoted is a step whose effect cannot be told from a repeat's: a message comes again, a call is told to.
func unnoted(step Step, err error) error {
	return fmt.Errorf("%w: %w", carrier.ErrUnfinished, carrier.Fail(string(step), carrier.Unavailable, err.Error()))
}

// end lets the next one claim the step. It tells whether the unit has failed meanwhile, and its step is to be taken back.
func (c *claim) end() (failed bool) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	close(c.store.working[c.key])
	delete(c.store.working, c.key)
	return c.store.failedMeanwhile(c.key)
}

// handle does a step for an order, unless it has been done: then it skips the work and the effect, and the caller
// carries on all the same, because the first handling may have ended before it could. With --no-dedupe it repeats both.
func (n *node) handle(ctx context.Context, e Experiment, step Step, order *orderpb.Order) (*orderpb.Handling, error) {
	claim, err := n.store.claim(ctx, n.flow.effectKey(step, order))
	if err != nil {
		return nil, carrierError(step, err)
	}
	handling, failed, err := n.handleClaimed(ctx, e, claim, order)
	if row, ok := n.flow.Row(step); ok && row.Undo != nil {
		err = n.undoIfFailed(ctx, e, row, order, failed, err)
	}
	if err != nil {
		return nil, err
	}
	return handling, nil
}

// handleClaimed is handle while nobody else does the step for the order. It tells whether the order has failed meanwhile.
func (n *node) handleClaimed(ctx context.Context, e Experiment, claim *claim, order *orderpb.Order) (handling *orderpb.Handling, failed bool, err error) {
	defer func() { failed = claim.end() }()
	step := claim.key.step
	handling = &orderpb.Handling{Step: string(step), Id: n.handlings.next(), Generation: claim.key.generation}
	if attempt := carrier.AttemptOf(ctx); attempt > 1 {
		handling.Attempt, handling.Before = uint32(attempt), uint32(carrier.AttemptsBefore(ctx)) //nolint:gosec // attempts are bounded
	}
	if claim.before != 0 && !n.repeatEffects {
		n.skip(ctx, step)
		handling.Repeats = claim.before
		return handling, false, nil
	}
	if err := n.perform(ctx, e, step, claim.before != 0, order); err != nil {
		return nil, false, err
	}
	stands, err := claim.note(ctx, handling.GetId())
	if err != nil {
		return nil, false, err
	}
	if stands != handling.GetId() && !n.repeatEffects { // the work was in vain
		handling.Repeats = stands
	}
	if err := n.crashAt(ctx, e, faults.AfterStore); err != nil {
		return nil, false, err
	}
	return handling, false, nil
}

// carrierError is a failure of the step, unless the error says more.
func carrierError(step Step, err error) error {
	if errors.Is(err, carrier.ErrUnfinished) {
		return err
	}
	return carrier.AsFailed(string(step), err)
}
