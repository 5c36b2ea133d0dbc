package services

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// A unit whose steps were undone when it failed cannot go on where it had stopped: what lies before that is gone. When one of its messages comes back
// from the dead letters, its consumer asks the keeper of the accounts to begin the unit anew, on the topic of failures: there the request comes behind
// the failure. The keeper counts a new generation of the unit and takes its plan again from the entry step on. A step that has an undo has its effect
// once in each generation, since each generation that fails is undone, also when the message that says so comes late. A step without an undo has its
// effect once for the unit: what an older generation did stands, and is skipped. What a message of an older generation tells later changes nothing but
// the counts.

// effectKey names an effect that a step has for a unit once.
type effectKey struct {
	unit       string
	step       Step
	generation uint32 // of the unit; 0 for a step that is never undone
}

// effectKey is the key of a step, or of one that undoes a step, for an order.
func (w *flowWork) effectKey(step Step, order *orderpb.Order) effectKey {
	key := effectKey{unit: order.GetId(), step: step}
	if order.GetGeneration() == 0 {
		return key
	}
	row, _ := w.Row(step)
	if _, undoes := w.Undone(step); undoes || row.Undo != nil {
		key.generation = order.GetGeneration()
	}
	return key
}

// effect is the name under which stores note it.
func (k effectKey) effect() string { return effectName(string(k.step), k.generation) }

// effectName is the name of a step's effect in a generation of its unit.
func effectName(step string, generation uint32) string {
	if generation == 0 {
		return step
	}
	return fmt.Sprintf("%s, generation %d", step, generation)
}

// failedMark is the name under which stores note that a unit failed before a step with an undo was done for it.
func (k effectKey) failedMark() string { return "failed before " + k.effect() }

// askAnew asks the keeper of the accounts to begin the unit of a redriven message anew.
func (n *node) askAnew(ctx context.Context, e Experiment, by flows.Carrier, event *orderpb.Event) error {
	ask := &orderpb.Event{Order: event.GetOrder(), Steps: event.GetSteps(), Handlings: event.GetHandlings(), Redriven: true}
	if err := n.publish(ctx, by, n.flow.FailureTopic(), ask); err != nil {
		return fmt.Errorf("%w: %w", carrier.ErrUnfinished, err)
	}
	return n.crashAt(ctx, e, faults.BeforeCommit)
}

// pendingFor is how long the keeper waits for the failure of a unit that is to begin anew, before the request goes to the dead letters.
const pendingFor = 5 * time.Second

// beginAnew begins a unit that has failed and was undone anew, from its entry step on. One that is completed, or has begun anew since, is left as it is.
// The request comes again until the first messages are on their way, and repeats are skipped.
func (k *keeper) beginAnew(ctx context.Context, e Experiment, event *orderpb.Event) error {
	order := proto.CloneOf(event.GetOrder())
	order.Generation++
	state, known, err := k.ledger.beginAnew(ctx, order, event.GetHandlings())
	switch {
	case err != nil:
		return unheard(err)
	case !known:
		return k.unknownOrder(ctx, e, event)
	case state == notFailed:
		err := carrier.Fail("", "pending", "the "+k.flow.Unit+" has not failed yet: there is nothing to begin anew")
		if carrier.SinceFirst(ctx) < pendingFor { // its first message is handled again, or its failure is on its way
			return unheard(err)
		}
		return &carrier.DeadError{Err: err}
	case state == goesOn:
		return nil
	}
	if err := k.crashAt(ctx, e, faults.AfterStore); err != nil {
		return err
	}
	x := k.newExecution(e, k.flow.plan(e, order.GetBody()), order, k.flow.Entry())
	if k.boxed(e.Form) {
		x.publish = k.outbox.put
	}
	if _, err := k.take(ctx, x, order.GetId()); err != nil {
		if errors.Is(err, errHandOver) && !neverSent(err) {
			return unheard(err)
		}
		return err
	}
	return k.crashAt(ctx, e, faults.BeforeCommit)
}
