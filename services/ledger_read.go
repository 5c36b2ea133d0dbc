package services

import (
	"context"
	"errors"

	"tracelab/services/internal/store"
)

// get returns one order's state. known is false when the store has no such order.
func (l *ledger) get(ctx context.Context, id string) (state State, known bool, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	u, err := l.store.Get(ctx, id)
	switch {
	case errors.Is(err, store.ErrUnknown):
		return State{}, false, nil
	case err != nil:
		return State{}, false, l.storeFailed(err)
	}
	return l.state(u), true, nil
}

// state returns the public state of a unit, with its body.
func (l *ledger) state(u *store.Unit) State {
	state := State{ID: u.ID, Status: Status(u.Status), Run: u.Run, Form: Form(u.Form), Number: u.Number, Steps: asSteps(u.Steps), Body: map[string]any{}}
	for _, field := range l.flow.Body {
		state.Body[field.Name] = field.JSON(u.Body[field.Name])
	}
	for _, f := range u.Failures {
		state.Failures = append(state.Failures, StepFailure{Step: f.Step, Reason: f.Reason, Detail: f.Detail, Attempts: f.Attempts, DeadLetter: f.DeadLetter})
	}
	return state
}

// page lists up to limit of a run's remembered orders, oldest first, that come after a cursor; 0 starts at the oldest. next is the cursor for the
// following page, 0 when there are no more.
func (l *ledger) page(ctx context.Context, run string, after uint64, limit int) (states []State, next uint64, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	units, next, err := l.store.Page(ctx, run, after, limit)
	if err != nil {
		return nil, 0, l.storeFailed(err)
	}
	states = make([]State, len(units))
	for i, u := range units {
		states[i] = l.state(u)
	}
	return states, next, nil
}

// pending counts the orders since the start of this process that are not final.
func (l *ledger) pending(ctx context.Context) (int, error) { return l.store.Pending(ctx, l.started) }
