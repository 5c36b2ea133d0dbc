package services

import (
	"context"
	"slices"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// revive takes note of a message that came of the dead letters, in a flow that undoes nothing. The failures of steps that have been done since, or are to be done now, are
// over. An order whose failures are all over is pending again; one that has failed for another reason, too, stays failed.
func (c *change) revive(hop flows.Hop, of []Step, handlings []*orderpb.Handling) {
	if c.unit.Status != string(Failed) {
		return
	}
	done := append(slices.Clone(of), hop.Step)
	for _, h := range handlings {
		done = append(done, Step(h.GetStep()))
	}
	before := len(c.unit.Failures)
	c.unit.Failures = slices.DeleteFunc(c.unit.Failures, func(f store.Failure) bool {
		return f.DeadLetter && slices.Contains(done, Step(f.Step))
	})
	c.modified = c.modified || len(c.unit.Failures) != before
	c.unarrive(hop, of) // what failed here comes again, and its last branch is the last again
	if len(c.unit.Failures) > 0 {
		return
	}
	c.unit.Status, c.unit.Final, c.modified = string(Accepted), false, true
	c.sums[sumFailed]--
}

// How a request to begin an order anew finds it.
type anew int

const (
	notFailed  anew = iota // it is pending, in the generation that is said to have failed
	goesOn                 // it is completed, or has begun anew and ended since
	beginsAnew             // it begins anew, now or since an earlier request that may have ended before it was done
)

// beginAnew begins an order anew as a generation, whose number it has, when the generation before has failed. known is false when the store has no
// such order.
func (l *ledger) beginAnew(ctx context.Context, order *orderpb.Order, handlings []*orderpb.Handling) (found anew, known bool, err error) {
	_, known, err = l.update(ctx, order.GetId(), func(c *change) {
		c.handled(handlings)
		found = c.beginAnew(order.GetGeneration())
	})
	return found, known, err
}

func (c *change) beginAnew(generation uint32) anew {
	u := c.unit
	switch pending := u.Status == string(Accepted); {
	case u.Generation == generation && pending:
		return beginsAnew
	case u.Generation+1 == generation && pending:
		return notFailed
	case u.Generation+1 != generation || u.Status != string(Failed):
		return goesOn
	}
	u.Status, u.Final, u.Generation, c.modified = string(Accepted), false, generation, true
	u.Failures, u.Arrived, u.Steps = nil, nil, []string{string(c.flow.Entry())}
	c.sums[sumFailed]--
	c.sums[sumAnew]++
	return beginsAnew
}
