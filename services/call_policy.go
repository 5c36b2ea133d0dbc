package services

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// callPolicy is how one service calls one step: what the flow's file says of its deadline, retries, breaker and bulkhead.
type callPolicy struct {
	node     *node
	row      flows.Row
	entry    bool
	breaker  circuitbreaker.CircuitBreaker[any] // nil: none
	bulkhead bulkhead.Bulkhead[any]             // nil: none
	budget   *retryBudget                       // nil: no retries
	trips    atomic.Int64                       // of the breaker, that are not counted yet
}

// newCallPolicies makes the policies for the steps that have some. In a flow with deadlines every step has one.
func newCallPolicies(n *node) map[Step]*callPolicy {
	policies := map[Step]*callPolicy{}
	for i, row := range n.flow.Rows {
		if !n.flow.HasDeadlines() && row.Retry.IsZero() && row.Breaker == nil && row.Bulkhead == 0 {
			continue
		}
		p := &callPolicy{node: n, row: row, entry: i == 0}
		if row.Breaker != nil {
			p.breaker = p.newBreaker(*row.Breaker)
		}
		if row.Bulkhead > 0 {
			p.bulkhead = bulkhead.New[any](uint(row.Bulkhead))
		}
		if !row.Retry.IsZero() {
			p.budget = &retryBudget{share: row.Budget}
			if row.Budget == 0 {
				p.budget.share = flows.DefaultBudget
			}
		}
		policies[row.Step] = p
	}
	return policies
}

// newBreaker makes a breaker that opens when enough of the last calls have failed. When it has been open for its time, it lets a tenth as
// many calls through as it looks at: it closes when all of them go well, and opens again when one fails.
func (p *callPolicy) newBreaker(b flows.Breaker) circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(uint(b.Failures()), uint(b.Of)).
		WithSuccessThreshold(uint(max(1, b.Of/10))).
		WithDelay(b.Open).
		OnOpen(func(circuitbreaker.StateChangedEvent) { p.trips.Add(1) }).Build()
}

// do makes a call, and again when it has failed and may be tried again.
func (p *callPolicy) do(ctx context.Context, e Experiment, event *orderpb.Event, once func(context.Context) error) error {
	p.count(e, func(c *CallCounts) { c.Calls++ })
	began := time.Now()
	if p.budget != nil {
		p.budget.called(began)
	}
	attempt := &carrier.CallAttempt{Number: 1}
	sent := false // by an attempt before
	for {
		err := p.attempt(ctx, e, attempt, once)
		if err != nil {
			err = surely(err, &sent)
		}
		if err == nil || p.budget == nil || !p.retryable(event, err) || ctx.Err() != nil {
			return err
		}
		pause, again := p.row.Retry.Next(attempt.Number, time.Since(began), e.Draw("pause", string(p.row.Step), strconv.Itoa(attempt.Number)))
		if after := carrier.AsFailed("", err).RetryAfter; after > pause {
			pause, again = after, again && time.Since(began)+after <= p.row.Retry.Within
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
			again = false
		}
		if !again {
			return err
		}
		if !p.budget.retry(time.Now()) {
			p.count(e, func(c *CallCounts) { c.OverBudget++ })
			p.node.callMetrics.refused.Add(ctx, 1, refusedSet(p.row.Step, overBudget))
			return err
		}
		if !pauseFor(ctx, pause) {
			return err
		}
		p.count(e, func(c *CallCounts) { c.Retries++ })
		p.node.callMetrics.retries.Add(ctx, 1, stepSet(p.row.Step))
		attempt = &carrier.CallAttempt{Number: attempt.Number + 1, Before: attempt.Span}
		event.Attempt = uint32(attempt.Number)
	}
}

// surely corrects what a failed attempt says of the whole call: that a service cannot be reached now does not say that an attempt before, which was
// sent, had no effect.
func surely(err error, sent *bool) error {
	failed := carrier.AsFailed("", err)
	before := *sent
	first := failed.Failures[0]
	if first.GetReason() != carrier.Unreachable || first.GetStep() != "" { // with a step it is the service's own answer, about one behind it
		*sent = true
	}
	for _, f := range failed.Failures {
		if before && f.GetReason() == carrier.Unreachable {
			f.Reason = carrier.Unavailable
			err = failed
		}
	}
	return err
}

// attempt makes the call once, unless it is refused.
func (p *callPolicy) attempt(ctx context.Context, e Experiment, a *carrier.CallAttempt, once func(context.Context) error) error {
	step := p.row.Step
	if p.node.flow.HasDeadlines() {
		bounded, cancel, failed := within(ctx, p.row.Timeout)
		if failed != nil {
			return p.node.refuse(ctx, e, step, failed)
		}
		defer cancel()
		ctx = bounded
	}
	if p.bulkhead != nil {
		if !p.bulkhead.TryAcquirePermit() {
			return p.node.refuse(ctx, e, step, carrier.Fail(string(step), carrier.BulkheadFull,
				p.node.name+" makes "+strconv.Itoa(p.row.Bulkhead)+" calls to it at a time, and more are refused"))
		}
		defer p.bulkhead.ReleasePermit()
	}
	if p.breaker != nil && !p.breaker.TryAcquirePermit() {
		failed := carrier.Fail(string(step), carrier.BreakerOpen, "too many of the last calls to it failed: "+p.node.name+" makes none for a while")
		failed.RetryAfter = p.breaker.RemainingDelay()
		return p.node.refuse(ctx, e, step, failed)
	}
	if p.budget != nil {
		ctx = carrier.WithCallAttempt(ctx, a)
	}
	err := once(ctx)
	if p.breaker != nil {
		p.record(e, err)
	}
	return err
}

// record tells the breaker how a call ended. A refusal for a reason of the flow's own is an answer like any other.
func (p *callPolicy) record(e Experiment, err error) {
	if err == nil || !p.transient(carrier.AsFailed("", err)) {
		p.breaker.RecordSuccess()
		return
	}
	p.breaker.RecordFailure()
	if trips := p.trips.Swap(0); trips > 0 {
		p.count(e, func(c *CallCounts) { c.Trips += int(trips) })
		p.node.callMetrics.trips.Add(context.Background(), trips, stepSet(p.row.Step))
	}
}

// retryable tells whether a call may be made again: steps are idempotent by unit and step. The entry has no unit yet: without an
// Idempotency-Key another attempt would be another order.
func (p *callPolicy) retryable(event *orderpb.Event, err error) bool {
	if p.entry && event.GetIdempotencyKey() == "" {
		return false
	}
	return p.transient(carrier.AsFailed("", err))
}

// transient tells whether the same call may go better another time. What the caller itself refused, and what the flow's own reasons say no
// to, does not.
func (p *callPolicy) transient(failed *carrier.Failed) bool {
	for _, f := range failed.Failures {
		if _, own := p.node.flow.Reasons[f.GetReason()]; own {
			return false
		}
		switch f.GetReason() {
		case carrier.BadRequest, carrier.TooLarge, carrier.Cancelled, carrier.Undecodable, carrier.BreakerOpen, carrier.BulkheadFull, carrier.MailboxFull:
			return false
		}
	}
	return true
}

func (p *callPolicy) count(e Experiment, change func(*CallCounts)) {
	p.node.calls.count(e, p.row.Step, change)
}

// refuse counts a call that is not made, or that a service does not take, and makes its span: no CLIENT span and no step tells of it.
func (n *node) refuse(ctx context.Context, e Experiment, step Step, failed *carrier.Failed) error {
	_, span := n.telemetry.Tracer.Start(ctx, "refuse "+string(step), trace.WithAttributes(keyRefused.String(string(step))))
	telemetry.MarkFailed(span, failed.Reason(), failed)
	span.End()
	n.callMetrics.refused.Add(ctx, 1, refusedSet(step, failed.Reason()))
	n.calls.count(e, step, func(c *CallCounts) {
		switch failed.Reason() {
		case carrier.BreakerOpen:
			c.BreakerOpen++
		case carrier.BulkheadFull:
			c.BulkheadFull++
		case carrier.QueueFull:
			c.QueueFull++
		default:
			c.NotBegun++
		}
	})
	return withStep(failed, step)
}

// pauseFor waits, unless the context ends first.
func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
