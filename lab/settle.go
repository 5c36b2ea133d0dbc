package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/internal/poll"
	"tracelab/services"
)

// judgeOrders waits until no order is pending and every journey is complete, for as long as the deadline lasts.
func (r *running) judgeOrders(ctx context.Context) error {
	settling, cancel := context.WithTimeout(ctx, r.Deadline)
	defer cancel()
	if !r.endedEarly() { // who ends the run while it settles does not want to wait
		defer r.cancelOnEndEarly(cancel)()
	}
	r.Progress(Progress{Stage: StageSettling, Answered: r.placed, Orders: r.placed})
	r.settle(settling, r.name)
	r.cpu.stop()
	if err := r.readAccounts(ctx); errors.Is(err, errMoving) {
		r.problems = append(r.problems, fmt.Sprintf("the %s' own state was read while it changed, so sums may not balance: %v", unitOf(r.Flow).many(), err))
	} else if err != nil {
		r.problems = append(r.problems, fmt.Sprintf("the %s' own state cannot be read, so every accepted %s counts as lost: %v", unitOf(r.Flow).many(), r.Flow.Unit, err))
	}
	r.Progress(Progress{Stage: "judging the journeys", Answered: r.placed, Orders: r.placed})
	return (&awaiting{r.judge, r.env.jaeger, r.env.flush}).await(settling)
}

// settle waits until no order of a run is pending, or the context ends: the accounts then say what is.
func (r *running) settle(ctx context.Context, run string) {
	// What was asked last says nothing that the accounts do not.
	_ = poll.Until(ctx, 10*time.Millisecond, func(ctx context.Context) error {
		sums, err := r.env.client.accounts(ctx, run)
		if err != nil {
			return err
		}
		for form, a := range sums {
			if a.Pending > 0 {
				return fmt.Errorf("%d %s of %s are pending", a.Pending, unitOf(r.Flow).many(), form)
			}
		}
		return nil
	})
}

// readAccounts tells the judge what orders knows of every order, and reads how steps were handled.
func (r *running) readAccounts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountsTimeout)
	defer cancel()
	after, err := steady(ctx, func(ctx context.Context) (services.Summary, error) {
		sums, err := r.env.client.summary(ctx, r.name)
		if err == nil {
			r.states.now(sums.Orders)
		}
		return sums, err
	}, r.states.rest)
	r.after = after
	for form, a := range r.after.Forms {
		r.judge.forget(form, a)
	}
	return errors.Join(err, r.readStaleness(ctx))
}
