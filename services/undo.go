package services

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// When a unit fails for good, the steps that are done and that the flow knows an undo for are taken back: by calls where the service that holds
// the plan learned of the failure by a call, else by the message that ends the unit, which their services consume. An undo is a step like any
// other, done once for each generation of a unit. Nobody waits for it: neither the client nor another service.

// undoRetry says how a call that undoes a step is retried. An undo that fails for good leaves work for a person.
var undoRetry = flows.Retry{Times: 5, Within: 10 * time.Second, Backoff: 100 * time.Millisecond}

// keyUndo marks the span under which the calls are made that take a unit's steps back.
const keyUndo = "tracelab.undo"

// takeBack takes a step of this service back, if it has been done for the unit. When it is being done, or comes to it later, it is taken back
// as soon as it is done. The handling is nil when there was nothing to take back.
func (n *node) takeBack(ctx context.Context, e Experiment, row flows.Row, order *orderpb.Order) (*orderpb.Handling, error) {
	key := n.flow.effectKey(row.Step, order)
	if n.store.undoLater(key) {
		return nil, nil
	}
	done, err := n.store.kept.Find(ctx, key.unit, key.effect())
	if err != nil {
		return nil, unnoted(row.Undo.Step, err)
	}
	if done == 0 {
		if _, err := n.store.kept.Put(ctx, key.unit, key.failedMark(), n.handlings.next()); err != nil {
			return nil, unnoted(row.Undo.Step, err)
		}
		n.calls.count(e, row.Undo.Step, func(c *CallCounts) { c.NotUndone++ })
		return nil, nil
	}
	return n.undo(ctx, e, row, order)
}

// undo does the step that takes a step back, unless that has been done.
func (n *node) undo(ctx context.Context, e Experiment, row flows.Row, order *orderpb.Order) (*orderpb.Handling, error) {
	handling, err := n.handle(ctx, e, row.Undo.Step, order)
	if err != nil {
		return nil, err
	}
	n.calls.count(e, row.Undo.Step, func(c *CallCounts) {
		if handling.GetRepeats() == 0 {
			c.Undone++
		} else {
			c.NotUndone++
		}
	})
	return handling, nil
}

// undoLater tells whether a step is being done for a unit here, and if so lets it be taken back when it is done.
func (s *Store) undoLater(key effectKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, busy := s.working[key]; busy {
		s.failed[key] = true
		return true
	}
	return false
}

// failedMeanwhile tells whether a unit failed while a step was being done for it, and forgets it. The caller holds the lock.
func (s *Store) failedMeanwhile(key effectKey) bool {
	failed := s.failed[key]
	delete(s.failed, key)
	return failed
}

// undoIfFailed takes a step back that is just done, when its unit has failed meanwhile, or, for a step beside which others may fail, before. err
// is how the step ended: one that failed may be done yet, by another attempt, and the store remembers that it is to be taken back then.
func (n *node) undoIfFailed(ctx context.Context, e Experiment, row flows.Row, order *orderpb.Order, meanwhile bool, err error) error {
	key := n.flow.effectKey(row.Step, order)
	if err != nil {
		if meanwhile {
			_, noted := n.store.kept.Put(context.WithoutCancel(ctx), key.unit, key.failedMark(), n.handlings.next())
			return errors.Join(err, noted)
		}
		return err
	}
	if !meanwhile && n.flow.MayFailBeside(row.Step) {
		mark, err := n.store.kept.Find(ctx, key.unit, key.failedMark())
		if err != nil {
			return unnoted(row.Undo.Step, err)
		}
		meanwhile = mark != 0
	}
	if !meanwhile {
		return nil
	}
	_, err = n.undo(context.WithoutCancel(ctx), e, row, order)
	return err
}

// serveUndo is a call that asks to take a step back.
func (n *node) serveUndo(ctx context.Context, undo Step, event *orderpb.Event) (*orderpb.Receipt, error) {
	e, err := experimentOf(ctx, n.flow.Flow)
	if err != nil {
		return nil, carrier.Fail(string(undo), carrier.BadRequest, err.Error())
	}
	if event.GetOrder().GetId() == "" {
		return nil, carrier.Fail(string(undo), carrier.BadRequest, "the "+n.flow.Unit+" has no id")
	}
	row, _ := n.flow.Undone(undo)
	handling, err := n.takeBack(ctx, e, row, event.GetOrder())
	if err != nil {
		return nil, err
	}
	if handling == nil {
		return &orderpb.Receipt{}, nil
	}
	return receiptOf(handling), nil
}

// undoOnMessage takes back what this service has done for a unit that a message says has failed: the last step first. What calls led to is
// taken back by calls when the failure was told by a call.
func (n *node) undoOnMessage(ctx context.Context, e Experiment, event *orderpb.Event) error {
	plan, entry := n.flow.plan(e, event.GetOrder().GetBody()), n.flow.Entry()
	toldByCall := slices.ContainsFunc(asSteps(event.GetSteps()), func(s Step) bool { hop, ok := plan.Hop(s); return ok && hop.Domain == entry })
	for _, row := range slices.Backward(n.flow.Rows) {
		hop, passed := plan.Hop(row.Step)
		if row.Undo == nil || row.Step.Service() != n.name || !passed || toldByCall && hop.Domain == entry {
			continue
		}
		if _, err := n.takeBack(ctx, e, row, event.GetOrder()); err != nil {
			return fmt.Errorf("%w: %w", carrier.ErrUnfinished, err)
		}
	}
	return nil
}

// compensate takes a unit back whose failure a call told of: in reverse order, behind the answer to the client.
func (k *keeper) compensate(ctx context.Context, e Experiment, plan *flows.Plan, order *orderpb.Order, failures []*orderpb.Failure) {
	var sure []Step // have failed, and were not done
	for _, f := range failures {
		if failure := (StepFailure{Step: f.GetStep(), Reason: f.GetReason()}); !failure.CutOff() {
			sure = append(sure, Step(f.GetStep()))
		}
	}
	calls, byMessage := plan.Undoes(sure...)
	if len(calls) == 0 && byMessage == "" {
		return
	}
	k.mailbox.beside(ctx, cmp.Or(k.flow.Timeout, carryOnTimeout), func(ctx context.Context) {
		ctx, span := k.telemetry.Tracer.Start(ctx, "undo", trace.WithAttributes(attribute.Bool(keyUndo, true)))
		defer span.End()
		if byMessage != "" { // a step that a message led to may be done, and only its service knows
			event := &orderpb.Event{Order: order, Steps: []string{failures[0].GetStep()}, Failures: failures}
			if err := k.publish(ctx, byMessage, k.flow.FailureTopic(), event); err != nil {
				k.telemetry.Log.ErrorContext(ctx, "a failed order is not taken back: its message was not sent", "id", order.GetId(), "error", err)
			}
		}
		for _, hop := range calls {
			if err := k.callUndo(ctx, e, hop, order); err != nil {
				k.calls.count(e, hop.Step, func(c *CallCounts) { c.UndoFailed++ })
				k.telemetry.Log.ErrorContext(ctx, "a step of a failed order is not taken back", "id", order.GetId(), "step", string(hop.Step), "error", err)
			}
		}
	})
}

// callUndo takes one step back, and tries again while that fails.
func (k *keeper) callUndo(ctx context.Context, e Experiment, hop flows.Hop, order *orderpb.Order) error {
	began := time.Now()
	for attempt := 1; ; attempt++ {
		var err error
		if row, _ := k.flow.Undone(hop.Step); hop.By == flows.Local {
			_, err = k.takeBack(ctx, e, row, order)
		} else {
			err = k.call(ctx, e, hop.By, hop.Step, &orderpb.Event{Order: order}, &orderpb.Receipt{})
		}
		pause, again := undoRetry.Next(attempt, time.Since(began), e.Draw("pause", string(hop.Step)))
		if err == nil || !again || errors.Is(err, context.Canceled) || !pauseFor(ctx, pause) {
			return err
		}
	}
}
