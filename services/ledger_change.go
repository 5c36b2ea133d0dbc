package services

import (
	"slices"
	"time"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// change is one change of an order, and what it adds to the sums.
type change struct {
	flow     *flows.Flow
	unit     *store.Unit
	sums     store.Sums
	modified bool
	end      *ending // not nil: the change has made the order final
}

// did notes that steps are done.
func (c *change) did(steps ...Step) {
	for _, step := range steps {
		if !slices.Contains(c.unit.Steps, string(step)) {
			c.unit.Steps = append(c.unit.Steps, string(step))
			c.modified = true
		}
	}
}

// finish makes an order final, unless it is final already.
func (c *change) finish(status Status) {
	if c.unit.Final {
		return
	}
	c.unit.Status, c.unit.Final, c.unit.Holder, c.modified = string(status), true, 0, true
	c.sums[string(status)]++
	c.end = &ending{form: Form(c.unit.Form), status: status, after: time.Since(c.unit.Since)}
}

// failed adds failures to the order, up to a limit.
func (c *change) failed(failures []*orderpb.Failure) {
	for _, f := range failures {
		failure := store.Failure{Step: f.GetStep(), Reason: f.GetReason(), Detail: f.GetDetail(), Attempts: int(f.GetAttempts()), DeadLetter: f.GetDeadLetter()}
		if len(c.unit.Failures) < 2*len(c.flow.Rows) && !slices.Contains(c.unit.Failures, failure) {
			c.unit.Failures = append(c.unit.Failures, failure)
			c.modified = true
			c.retried(f.GetAttempts(), f.GetBefore())
			if failure.DeadLetter {
				c.sums[sumDead]++
			}
		}
	}
}

// known returns the steps that the flow has. A message from outside may name others.
func (c *change) known(steps []Step) []Step {
	return slices.DeleteFunc(steps, func(s Step) bool { _, ok := c.flow.Row(s); return !ok })
}
