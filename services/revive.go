package services

import (
	"slices"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// revive takes note of a message that came of the dead letters. The failures of steps that have been done since, or are to be done now, are
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
