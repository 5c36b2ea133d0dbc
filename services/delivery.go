package services

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// ended is how one step that a message led to has ended.
type ended struct {
	hop     flows.Hop
	receipt *orderpb.Receipt // of what is done; nil when nothing is
	err     error
	unheard bool // the accounts know nothing of the order, or need not: nobody is to be told of the error
}

// consume handles a message: the steps of this service that it leads to, side by side. Those that fail are tried again where the flow says so,
// with the message as a whole: what is done already is skipped then.
func (n *node) consume(ctx context.Context, by flows.Carrier, topic string, event *orderpb.Event) error {
	if !n.life.Alive() { // work in progress ends here
		return errCrashed
	}
	if n.keeper != nil && topic == n.flow.CompletedTopic() {
		n.keeper.ledger.tell(event.GetOrder().GetId())
		return nil
	}
	if n.view != nil && topic == n.flow.ViewTopic() {
		return n.view.apply(ctx, event)
	}
	e, err := n.experimentOf(ctx, event.GetOrder())
	if err != nil {
		return carrier.Fail("", carrier.BadRequest, err.Error())
	}
	if topic == n.flow.FailureTopic() {
		return n.hearFailure(ctx, e, event)
	}
	if carrier.Redriven(ctx) && len(n.flow.Undos()) > 0 {
		return n.askAnew(ctx, e, by, event)
	}
	ctx = carrier.WithRedriven(ctx, event.GetRedriven())
	plan := n.flow.plan(e, event.GetOrder().GetBody())
	var ledTo []flows.Hop
	for _, hop := range plan.Hops {
		if hop.By == by && hop.Topic == topic && hop.Step.Service() == n.name && leadsTo(event, hop) {
			ledTo = append(ledTo, hop)
		}
	}
	ends := make([]ended, len(ledTo))
	if len(ledTo) == 1 {
		ends[0] = n.serveMessage(ctx, e, plan, ledTo[0], event)
	} else {
		var steps sync.WaitGroup
		for i, hop := range ledTo {
			steps.Go(func() { ends[i] = n.serveMessage(ctx, e, plan, hop, event) })
		}
		steps.Wait()
	}
	return n.settleMessage(ctx, e, by, event, ends)
}

// hearFailure takes a message on the topic of failures: it ends a unit, or asks to begin one anew that has failed.
func (n *node) hearFailure(ctx context.Context, e Experiment, event *orderpb.Event) error {
	switch {
	case event.GetRedriven() && n.keeper != nil:
		return n.keeper.beginAnew(ctx, e, event)
	case event.GetRedriven():
		return nil
	case n.keeper != nil:
		if err := n.keeper.fail(ctx, e, event); err != nil {
			return err
		}
	}
	return n.undoOnMessage(ctx, e, event)
}

// serveMessage is a step that a message asks for: do it, unless it has been done, and carry on.
func (n *node) serveMessage(ctx context.Context, e Experiment, plan *flows.Plan, hop flows.Hop, event *orderpb.Event) ended {
	end := ended{hop: hop}
	if n.keeper != nil {
		if ready, err := n.keeper.hear(ctx, e, event, hop); !ready || err != nil {
			end.err, end.unheard = err, true
			return end
		}
	}
	end.receipt, end.err = n.doAndCarryOn(ctx, e, plan, hop, event)
	if errors.Is(end.err, errHandOver) && (!neverSent(end.err) || carrier.SinceFirst(ctx) < refusedFor) && !tooLarge(end.err) {
		end.err = fmt.Errorf("%w: %w", carrier.ErrUnfinished, end.err)
	}
	return end
}

// refusedFor is how long a message is handled again whose next message the broker refuses, before it goes to the dead letters. The broker may be mended meanwhile.
const refusedFor = 5 * time.Second

// neverSent tells whether the broker refuses a message for good.
func neverSent(err error) bool {
	failed, ok := errors.AsType[*carrier.Failed](err)
	return ok && failed.Reason() == carrier.MessageRefused
}

// tooLarge tells whether a message was not sent because no consumer would read it: no attempt changes that.
func tooLarge(err error) bool {
	failed, ok := errors.AsType[*carrier.Failed](err)
	return ok && failed.Reason() == carrier.TooLarge
}

// settleMessage decides what becomes of a message whose steps have ended: it is finished, it is handled again, or it goes to the dead letters.
// A failure for good ends the order by a message of its own, and the partition goes on.
func (n *node) settleMessage(ctx context.Context, e Experiment, by flows.Carrier, event *orderpb.Event, ends []ended) error {
	verdict := n.judge(ctx, e, ends)
	for _, end := range ends {
		if n.keeper == nil || end.unheard {
			continue
		}
		err := end.err
		if err != nil && verdict.comesAgain() { // with its message, and the last branch of a join is the last again
			err = errors.Join(carrier.ErrUnfinished, err)
		}
		if err := n.keeper.heard(ctx, end.receipt, err, end.hop, event); end.err == nil && err != nil {
			verdict.err, verdict.unfinished = err, true // it could not be noted
		}
	}
	tell := func(ctx context.Context) error { return n.tellFailures(ctx, by, event, ends, verdict) }
	switch {
	case verdict.err == nil && len(ends) > 0:
		return n.crashAt(ctx, e, faults.BeforeCommit)
	case verdict.err == nil || verdict.unfinished:
		return verdict.err
	case verdict.again:
		return &carrier.AgainError{After: verdict.pause, Err: verdict.err}
	case verdict.dead:
		return &carrier.DeadError{Err: verdict.err, Then: tell}
	}
	if err := tell(ctx); err != nil {
		return err
	}
	return verdict.err
}

// verdict is what becomes of a message.
type verdict struct {
	err        error // nil: all that it led to is done
	unfinished bool  // nobody takes over what comes next, or what was done cannot be noted
	again      bool
	pause      time.Duration
	dead       bool
	attempts   int
}

func (v verdict) comesAgain() bool { return v.unfinished || v.again }

// judge looks at how the steps of a message have ended.
func (n *node) judge(ctx context.Context, e Experiment, ends []ended) verdict {
	v := verdict{attempts: carrier.AttemptOf(ctx)}
	var failures []*orderpb.Failure
	for _, end := range ends {
		if end.err == nil {
			continue
		}
		failed, ok := errors.AsType[*carrier.Failed](end.err)
		if !ok || errors.Is(end.err, carrier.ErrUnfinished) {
			return verdict{err: end.err, unfinished: errors.Is(end.err, carrier.ErrUnfinished), attempts: v.attempts}
		}
		failures = append(failures, failed.Failures...)
		if _, dead := errors.AsType[*carrier.DeadError](end.err); dead || neverSent(end.err) {
			v.dead = true
			continue
		}
		row, _ := n.flow.Row(end.hop.Step)
		if end.unheard || row.Retry.IsZero() || n.final(failed) {
			continue
		}
		here := carrier.AttemptHere(ctx)
		pause, again := row.Retry.Next(here, carrier.SinceFirst(ctx), e.Draw("retry", string(end.hop.Step), strconv.Itoa(v.attempts)))
		v.again, v.dead, v.pause = v.again || again, v.dead || !again, max(v.pause, pause)
	}
	if len(failures) > 0 {
		v.err = &carrier.Failed{Failures: failures}
	}
	return v
}

// final tells whether no further attempt can change a failure: it is an answer, not trouble.
func (n *node) final(failed *carrier.Failed) bool {
	switch failed.Reason() {
	case carrier.BadRequest, carrier.TooLarge, carrier.Undecodable:
		return true
	}
	return failed.Answer
}

// tellFailures publishes the failures that end an order, one message for each step.
func (n *node) tellFailures(ctx context.Context, by flows.Carrier, event *orderpb.Event, ends []ended, v verdict) error {
	for _, end := range ends {
		failed, ok := errors.AsType[*carrier.Failed](end.err)
		if end.err == nil || end.unheard || !ok {
			continue
		}
		for _, f := range failed.Failures {
			if v.attempts > 1 {
				f.Attempts, f.Before = uint32(v.attempts), uint32(carrier.AttemptsBefore(ctx)) //nolint:gosec // attempts are bounded
			}
			f.DeadLetter = v.dead
		}
		handlings := append(slices.Clone(event.GetHandlings()), end.receipt.GetHandlings()...)
		end := &orderpb.Event{Order: event.GetOrder(), Steps: []string{string(end.hop.Step)}, Failures: failed.Failures, Handlings: handlings}
		if err := n.publish(ctx, by, n.flow.FailureTopic(), end); err != nil {
			return fmt.Errorf("%w: %w", carrier.ErrUnfinished, err)
		}
	}
	return nil
}

// retried lists the topics whose messages may be handled again by a service.
func retried(f *flows.Flow, service string) []string {
	var topics []string
	for _, row := range f.Rows {
		if row.Step.Service() == service && row.Message != "" && !row.Retry.IsZero() && !slices.Contains(topics, row.Message) {
			topics = append(topics, row.Message)
		}
	}
	return topics
}
