package services

import (
	"context"
	"slices"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// arrive notes that the steps before a hop are done, and how they were handled. ready says that the hop's step is to be done now: all branches that it
// waits for have arrived. A repeat changes nothing, and neither does a message for an order that has failed, has begun anew since, or is unknown.
func (l *ledger) arrive(ctx context.Context, event *orderpb.Event, hop flows.Hop) (ready, known bool, err error) {
	redriven, of := carrier.Redriven(ctx), asSteps(event.GetSteps())
	_, known, err = l.update(ctx, event.GetOrder().GetId(), func(c *change) {
		ready = false
		c.handled(event.GetHandlings())
		if event.GetOrder().GetGeneration() != c.unit.Generation {
			return
		}
		if redriven {
			c.revive(hop, of, event.GetHandlings())
		}
		ready = c.arrive(hop, of)
	})
	return ready && err == nil, known, err
}

// unarrive takes back the arrival of branches: the step after them was not finished, so they will be delivered again.
func (l *ledger) unarrive(ctx context.Context, event *orderpb.Event, hop flows.Hop) error {
	_, _, err := l.update(ctx, event.GetOrder().GetId(), func(c *change) {
		if event.GetOrder().GetGeneration() == c.unit.Generation {
			c.unarrive(hop, asSteps(event.GetSteps()))
		}
	})
	return err
}

// arrive notes that the steps before a hop are done, and reports whether the hop's step is to be done now.
func (c *change) arrive(hop flows.Hop, of []Step) (ready bool) {
	if !hop.Join {
		c.did(c.known(of)...)
		return !c.unit.Final
	}
	for _, branch := range of {
		if !slices.Contains(hop.After, branch) {
			return false
		}
		if c.arrived(hop, branch) {
			if c.lastArrived(hop) != branch {
				return false
			}
			continue // a repeat of the last one starts the join again: the process may have ended before it was done
		}
		c.unit.Arrived = append(c.unit.Arrived, store.Arrival{Join: string(hop.Step), Branch: string(branch)})
		c.modified = true
		c.did(branch)
	}
	for _, branch := range hop.After {
		if !c.arrived(hop, branch) {
			return false
		}
	}
	return !c.unit.Final && !slices.Contains(c.unit.Steps, string(hop.Step))
}

// lastArrived returns the branch of a join that arrived last.
func (c *change) lastArrived(hop flows.Hop) Step {
	for _, a := range slices.Backward(c.unit.Arrived) {
		if a.Join == string(hop.Step) {
			return Step(a.Branch)
		}
	}
	return ""
}

func (c *change) arrived(hop flows.Hop, branch Step) bool {
	return slices.Contains(c.unit.Arrived, store.Arrival{Join: string(hop.Step), Branch: string(branch)})
}

// unarrive takes back the arrival of branches.
func (c *change) unarrive(hop flows.Hop, of []Step) {
	before := len(c.unit.Arrived)
	c.unit.Arrived = slices.DeleteFunc(c.unit.Arrived, func(a store.Arrival) bool {
		return a.Join == string(hop.Step) && slices.Contains(of, Step(a.Branch))
	})
	c.modified = c.modified || len(c.unit.Arrived) != before
}
