package services

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// Effects remember which steps have had their effect for which order, so that a step that is delivered again is not
// done again. Services that share one, in one process, do each step of an order once among them. The zero value is not
// usable.
type Effects struct {
	notes store.Effects

	mu      sync.Mutex
	working map[effectKey]chan struct{} // closed when the work that is going on has ended
}

type effectKey struct {
	unit string
	step Step
}

// NewEffects remember in memory: a process that is killed forgets.
func NewEffects() *Effects {
	return newEffects(store.NewMemory(effectsLimit()))
}

// OpenEffects remember in a file, which is made if it is not there: a process that is killed and started again goes on
// with what it knew. One process at a time can have it open.
func OpenEffects(path string) (*Effects, error) {
	notes, err := store.OpenBolt(path, effectsLimit())
	if err != nil {
		return nil, err
	}
	return newEffects(notes), nil
}

func newEffects(notes store.Effects) *Effects {
	return &Effects{notes: notes, working: map[effectKey]chan struct{}{}}
}

// Close gives the file back. Closing nil does nothing.
func (f *Effects) Close() error {
	if f == nil {
		return nil
	}
	return f.notes.Close()
}

// claim is the right to have the effect of a step for an order: one at a time.
type claim struct {
	effects *Effects
	key     effectKey
	before  uint64 // the handling that has had the effect already; 0 for none
}

// begin waits until nobody works on the step for the unit, and claims it. End must be called.
func (f *Effects) begin(ctx context.Context, unit string, step Step) (*claim, error) {
	key := effectKey{unit, step}
	for {
		f.mu.Lock()
		working, busy := f.working[key]
		if !busy {
			f.working[key] = make(chan struct{})
		}
		f.mu.Unlock()
		if !busy {
			break
		}
		select {
		case <-working:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	c := &claim{effects: f, key: key}
	var err error
	if c.before, err = f.notes.Find(unit, string(step)); err != nil {
		c.end()
		return nil, unnoted(step, err)
	}
	return c, nil
}

// note notes that the handling had the effect. It happens before anybody is told that the step is done.
func (c *claim) note(handling uint64) error {
	if err := c.effects.notes.Put(c.key.unit, string(c.key.step), handling); err != nil {
		return unnoted(c.key.step, err)
	}
	return nil
}

// unnoted is a step whose effect cannot be told from a repeat's: a message comes again, a call is told to.
func unnoted(step Step, err error) error {
	return fmt.Errorf("%w: %w", carrier.ErrUnfinished, carrier.Fail(string(step), carrier.Unavailable, err.Error()))
}

// end lets the next one claim the step.
func (c *claim) end() {
	c.effects.mu.Lock()
	defer c.effects.mu.Unlock()
	close(c.effects.working[c.key])
	delete(c.effects.working, c.key)
}

// handle does a step for an order, unless it has been done: then it skips the work and the effect, and the caller
// carries on all the same, because the first handling may have ended before it could. With --no-dedupe it repeats both.
func (n *node) handle(ctx context.Context, e Experiment, step Step, order *orderpb.Order) (*orderpb.Handling, error) {
	claim, err := n.effects.begin(ctx, order.GetId(), step)
	if err != nil {
		return nil, carrierError(step, err)
	}
	defer claim.end()
	handling := &orderpb.Handling{Step: string(step), Id: n.handlings.next()}
	if claim.before != 0 && !n.repeatEffects {
		n.skip(ctx, step)
		handling.Repeats = claim.before
		return handling, nil
	}
	if err := n.perform(ctx, e, step, claim.before != 0, order); err != nil {
		return nil, err
	}
	if err := claim.note(handling.GetId()); err != nil {
		return nil, err
	}
	return handling, nil
}

// carrierError is a failure of the step, unless the error says more.
func carrierError(step Step, err error) error {
	if errors.Is(err, carrier.ErrUnfinished) {
		return err
	}
	return carrier.AsFailed(string(step), err)
}
