package services

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// execution is one order's way through its plan, in the hands of the service that holds it. A call does its step and returns, so its caller
// keeps the plan; a message hands the plan over to its consumer. A step begins as soon as the steps that lead to it are done: nobody waits
// for siblings.
type execution struct {
	node  *node
	exp   Experiment
	plan  *flows.Plan
	order *orderpb.Order
	at    Step // behind which this service holds the plan
	// only are the steps that are called now, when others are called later: nil for all.
	only map[Step]bool

	running sync.WaitGroup

	mu        sync.Mutex
	done      map[Step]bool   // done, here or by somebody who told us
	begun     map[string]bool // calls, local steps and messages
	waiting   []hopOf         // calls that are made one by one
	calling   bool            // one of them
	failures  []*orderpb.Failure
	again     time.Duration       // when another try makes sense, as far as the failures say
	handlings []*orderpb.Handling // of the steps that are done, as far as we were told
	handOver  error               // a message that could not be published
	// publish hands a message on: to the broker, or to the outbox.
	publish func(ctx context.Context, by flows.Carrier, topic string, event *orderpb.Event) error
	held    bool // the order's state says that it goes on here
	// handedOver says that a message was published: somebody else carries on.
	handedOver bool
}

// hopOf is a hop that is to be made, and the finished steps that it tells of.
type hopOf struct {
	flows.Hop
	of []Step
}

// key tells the hops of an execution apart. One message goes to all that consume its topic.
func (h hopOf) key() string {
	if h.By.IsMessage() {
		return string(h.By) + " " + h.Topic + " " + strings.Join(asNames(h.of), " ")
	}
	if h.Join {
		return string(h.Step) + " " + strings.Join(asNames(h.of), " ")
	}
	return string(h.Step)
}

// errHandOver marks that the plan could not be handed over: nobody has failed, but nobody carries on either.
var errHandOver = errors.New("plan not handed over")

// carryOn executes what comes after a step that this service has done, until everything ahead is handed over or ended. A failing branch does
// not cancel its siblings: it returns when all have ended, with the steps that are done, how they were handled, and all failures as one
// *carrier.Failed. A message that could not be handed over is an error of its own kind, errHandOver. before are the handlings that led here;
// the next message takes them along.
func (n *node) carryOn(ctx context.Context, e Experiment, plan *flows.Plan, order *orderpb.Order, at Step, before ...*orderpb.Handling) (*orderpb.Receipt, error) {
	return n.newExecution(e, plan, order, at, before...).run(ctx)
}

// newExecution is an execution that has not begun.
func (n *node) newExecution(e Experiment, plan *flows.Plan, order *orderpb.Order, at Step, before ...*orderpb.Handling) *execution {
	return &execution{node: n, publish: n.publish, exp: e, plan: plan, order: order, at: at, handlings: before, done: map[Step]bool{at: true}, begun: map[string]bool{}}
}

// run makes what is to be made now and waits for its end. It may be run again when only has changed.
func (x *execution) run(ctx context.Context) (*orderpb.Receipt, error) {
	x.finished(ctx, slices.Collect(maps.Keys(x.done)))
	x.running.Wait()
	receipt := x.receipt()
	switch {
	case x.handOver != nil:
		return receipt, errors.Join(errHandOver, x.handOver)
	case len(x.failures) > 0:
		slices.SortStableFunc(x.failures, func(a, b *orderpb.Failure) int { return strings.Compare(a.GetStep(), b.GetStep()) })
		return receipt, &carrier.Failed{Failures: x.failures, RetryAfter: x.again}
	}
	return receipt, nil
}

// finished notes that steps are done and begins what they lead to: calls and local steps beside each other, then messages.
func (x *execution) finished(ctx context.Context, steps []Step) {
	var messages, fields []hopOf
	x.mu.Lock()
	for _, step := range steps {
		x.done[step] = true
	}
	for _, hop := range x.next(steps) {
		switch {
		case x.begun[hop.key()]:
		case hop.By.IsMessage():
			x.begun[hop.key()] = true
			messages = append(messages, hop)
		case hop.By == flows.GraphQL:
			x.begun[hop.key()] = true
			fields = append(fields, hop)
		case x.plan.OneByOne:
			x.begun[hop.key()] = true
			x.waiting = append(x.waiting, hop)
		default:
			x.begun[hop.key()] = true
			x.running.Go(func() { x.make(ctx, hop) })
		}
	}
	x.query(ctx, fields)
	x.callNext(ctx)
	handlings := slices.Clone(x.handlings)
	x.mu.Unlock()
	for _, hop := range messages {
		err := x.publish(ctx, hop.By, hop.Topic, x.event(ctx, hop, handlings))
		if neverSent(err) { // nobody comes to the step
			err = withStep(err, hop.Step)
		}
		x.mu.Lock()
		x.handOver, x.handedOver = errors.Join(x.handOver, err), x.handedOver || err == nil
		x.mu.Unlock()
	}
}

// event is what a message tells that leads to a hop.
func (x *execution) event(ctx context.Context, hop hopOf, handlings []*orderpb.Handling) *orderpb.Event {
	return &orderpb.Event{Order: x.order, Steps: asNames(hop.of), Handlings: handlings, Payload: x.node.payload(x.exp, hop.Step), Redriven: carrier.Redriven(ctx)}
}

// firstMessage is a message that is made before the execution runs.
type firstMessage struct {
	hopOf
	event *orderpb.Event
}

// firstMessages takes the messages that the steps which are done lead to, for somebody else to hand on.
func (x *execution) firstMessages(ctx context.Context) []firstMessage {
	x.mu.Lock()
	defer x.mu.Unlock()
	var messages []firstMessage
	for _, hop := range x.next(slices.Collect(maps.Keys(x.done))) {
		if hop.By.IsMessage() && !x.begun[hop.key()] {
			x.begun[hop.key()], x.handedOver = true, true
			messages = append(messages, firstMessage{hop, x.event(ctx, hop, slices.Clone(x.handlings))})
		}
	}
	return messages
}

// next lists the hops that this service makes now that steps are done. The caller holds the lock.
func (x *execution) next(steps []Step) []hopOf {
	var hops []hopOf
	for _, hop := range x.plan.Hops {
		switch {
		case len(hop.After) == 0 || x.done[hop.Step]:
		case x.only != nil && !x.only[hop.Step] && !hop.By.IsMessage(): // later
		case hop.Join: // each branch tells by itself, and whoever holds it
			for _, step := range steps {
				if slices.Contains(hop.After, step) && x.plan.Holder(step) == x.at {
					hops = append(hops, hopOf{hop, []Step{step}})
				}
			}
		case (hop.Holder == x.at || hop.Holder == "") && !slices.ContainsFunc(hop.After, func(s Step) bool { return !x.done[s] }):
			hops = append(hops, hopOf{hop, hop.After})
		}
	}
	return hops
}

// callNext begins the next of the calls that are made one by one. The caller holds the lock.
func (x *execution) callNext(ctx context.Context) {
	if x.calling || len(x.waiting) == 0 {
		return
	}
	row := func(h hopOf) int {
		return slices.IndexFunc(x.plan.Hops, func(other flows.Hop) bool { return other.Step == h.Step })
	}
	slices.SortStableFunc(x.waiting, func(a, b hopOf) int { return cmp.Compare(row(a), row(b)) })
	hop := x.waiting[0]
	x.waiting, x.calling = x.waiting[1:], true
	x.running.Go(func() { x.make(ctx, hop) })
}

// make makes a call or does a local step, and goes on from there.
func (x *execution) make(ctx context.Context, hop hopOf) {
	receipt, _ := x.call(ctx, hop)
	x.finished(ctx, asSteps(receipt.GetSteps()))
}

// call makes a call or does a local step, and notes how it ended.
func (x *execution) call(ctx context.Context, hop hopOf) (*orderpb.Receipt, error) {
	receipt, err := x.node.hop(ctx, x.exp, hop, x.order, x.told())
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calling = false
	x.handlings = append(x.handlings, receipt.GetHandlings()...)
	if err != nil {
		failed := withStep(err, hop.Step)
		x.failures, x.again = append(x.failures, failed.Failures...), max(x.again, failed.RetryAfter)
		return receipt, failed
	}
	return receipt, nil
}

// told is what is known of the handlings so far.
func (x *execution) told() []*orderpb.Handling {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.handlings)
}

// hop makes one hop that is not a message and returns what it has done.
func (n *node) hop(ctx context.Context, e Experiment, hop hopOf, order *orderpb.Order, told []*orderpb.Handling) (*orderpb.Receipt, error) {
	if hop.By == flows.Local {
		handling, err := n.handle(ctx, e, hop.Step, order)
		if err != nil {
			return nil, err
		}
		return receiptOf(handling), nil
	}
	event := &orderpb.Event{Order: order, Steps: asNames(hop.of), Redriven: carrier.Redriven(ctx)}
	if hop.Join { // the accounts are kept there
		event.Handlings = told
	}
	receipt := &orderpb.Receipt{}
	err := n.call(ctx, e, hop.By, hop.Step, event, receipt)
	return receipt, err
}

// receipt says what is done and how it was handled.
func (x *execution) receipt() *orderpb.Receipt {
	receipt := &orderpb.Receipt{Handlings: x.handlings}
	for _, hop := range x.plan.Hops {
		if x.done[hop.Step] {
			receipt.Steps = append(receipt.Steps, string(hop.Step))
		}
	}
	return receipt
}

// withStep makes any error a failure and names the step where the carrier could not.
func withStep(err error, step Step) *carrier.Failed {
	failed := carrier.AsFailed(string(step), err)
	for _, f := range failed.Failures {
		if f.GetStep() == "" {
			f.Step = string(step)
		}
	}
	return failed
}
