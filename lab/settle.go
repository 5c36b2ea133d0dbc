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
	within := accountsTimeout
	if !r.settle(settling, r.name) {
		within = unreadTimeout
	}
	r.cpu.stop()
	if err := r.readAccounts(ctx, within); errors.Is(err, errMoving) {
		r.problems = append(r.problems, fmt.Sprintf("the %s' own state was read while it changed, so sums may not balance: %v", unitOf(r.Flow).many(), err))
	} else if err != nil {
		r.unread = r.after.Forms == nil
		r.problems = append(r.problems, fmt.Sprintf("the %s' own state cannot be read, so every accepted %s counts as lost: %v", unitOf(r.Flow).many(), r.Flow.Unit, err))
	}
	if r.unread || r.restarted() != "" {
		r.judge.forgetful()
	}
	r.Progress(Progress{Stage: "judging the journeys", Answered: r.placed, Orders: r.placed})
	watches := newBrokerWatches(r.Flow, r.env.config)
	defer watches.close()
	nothingWaits := func(ctx context.Context) bool { return watches.nothingWaits(ctx, r.env.system) }
	err := (&awaiting{judge: r.judge, jaeger: r.env.jaeger, flush: r.env.flush, cannotCome: r.cannotCome, nothingWaits: nothingWaits}).await(settling)
	r.waited = errors.Is(settling.Err(), context.DeadlineExceeded)
	return err
}

// unreadTimeout bounds reading the state of all orders when it could not be read before: an answer that a store is away takes about 5 s.
const unreadTimeout = 10 * time.Second

// settle waits until no order of a run is pending, or the context ends: the accounts then say what is. It tells whether the accounts could be read.
func (r *running) settle(ctx context.Context, run string) (readable bool) {
	// What was asked last says nothing that the accounts do not.
	_ = poll.Slowing(ctx, 10*time.Millisecond, 100*time.Millisecond, func(ctx context.Context) error {
		sums, err := r.env.client.accounts(ctx, run)
		readable = err == nil || readable && ctx.Err() != nil // who is cut off may have been about to answer
		if err != nil {
			return err
		}
		for form, a := range sums {
			if a.Pending > a.Lost { // nobody carries on with the lost ones
				return fmt.Errorf("%d %s of %s are pending", a.Pending-a.Lost, unitOf(r.Flow).many(), form)
			}
		}
		return nil
	})
	return readable
}

// readAccounts tells the judge what orders knows of every order, and reads how steps were handled.
func (r *running) readAccounts(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
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
