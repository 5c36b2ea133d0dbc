package services

import (
	"context"
	"slices"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// arrive notes how the steps were handled that lead to a hop, and that they are done. It tells whether the hop's step is to be done: the last branch
// that it waits for has come. A repeat changes nothing, and neither does a message for an order that has failed, has begun anew since, or is not known.
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

// unarrive takes back that branches have arrived: what they led to is not finished, and they come again.
func (l *ledger) unarrive(ctx context.Context, event *orderpb.Event, hop flows.Hop) error {
	_, _, err := l.update(ctx, event.GetOrder().GetId(), func(c *change) {
		if event.GetOrder().GetGeneration() == c.unit.Generation {
			c.unarrive(hop, asSteps(event.GetSteps()))
		}
	})
	return err
}

// arrive notes the finished steps that lead to a hop and tells whether its step is to be done.
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
			continue // the last one begins the join again, unless it is done: a process may have ended in between
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

// lastArrived is the branch of a join that came last.
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

// unarrive takes back that branches have arrived.
func (c *change) unarrive(hop flows.Hop, of []Step) {
	before := len(c.unit.Arrived)
	c.unit.Arrived = slices.DeleteFunc(c.unit.Arrived, func(a store.Arrival) bool {
		return a.Join == string(hop.Step) && slices.Contains(of, Step(a.Branch))
	})
	c.modified = c.modified || len(c.unit.Arrived) != before
}
