package services

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// perform does one step for an order, under one INTERNAL span with the step's name: how a call meets its message twin.
// duplicate says that the step has been done before.
func (n *node) perform(ctx context.Context, e Experiment, step Step, duplicate bool, do func(context.Context) error) error {
	ctx, span := n.telemetry.Tracer.Start(ctx, string(step), stepAttributes(step, duplicate))
	defer span.End()
	ctx, end := n.telemetry.Labels.Step(ctx, string(step))
	defer end()
	err := n.doStep(ctx, e, step, do)
	if err == nil {
		return nil
	}
	failed := carrier.AsFailed(string(step), err)
	if fault, ok := errors.AsType[*faults.Error](err); ok {
		failed = carrier.Fail(string(step), fault.Reason, "injected fault")
	}
	telemetry.MarkFailed(span, failed.Reason(), failed)
	n.telemetry.Log.DebugContext(ctx, "step failed", "step", string(step), "reason", failed.Reason())
	return failed
}

// stepAttributes are what the span of a step starts with.
func stepAttributes(step Step, duplicate bool) trace.SpanStartEventOption {
	attributes := []attribute.KeyValue{attribute.String(KeyStep, string(step))}
	if duplicate {
		attributes = append(attributes, attribute.Bool(KeyDuplicate, true))
	}
	return trace.WithAttributes(attributes...)
}

// skip is a step that has been done before: its span says so, and nothing else happens.
func (n *node) skip(ctx context.Context, step Step) {
	_, span := n.telemetry.Tracer.Start(ctx, string(step), stepAttributes(step, true))
	span.End()
}

// doStep is what a step consists of: the faults that the order carries, the step's cost, and what it is there for.
func (n *node) doStep(ctx context.Context, e Experiment, step Step, do func(context.Context) error) error {
	if n.allowFaults {
		if err := e.misbehave(ctx, n.name); err != nil {
			return err
		}
	}
	if err := e.work(ctx, step); err != nil {
		return err
	}
	return do(ctx)
}

// plan is one order's way through its topology, in the hands of the service that holds it. A call does its step and
// returns, so its caller keeps the plan; a message hands the plan over to its consumer.
type plan struct {
	node  *node
	exp   Experiment
	table Topology
	order *orderpb.Order

	done      map[Step]bool // done, here or by somebody who told us
	started   map[Step]bool // called from here
	published map[string]bool
	carry     []Step // done, and ours to carry on from
	failures  []*orderpb.Failure
	handlings []*orderpb.Handling // of the steps that are done, as far as we were told
}

// carryOn executes what comes after a step that this service has done, until everything ahead is handed over or ended.
// A failing branch does not cancel its siblings: it returns when all have ended, with the steps that are done, how they
// were handled, and all failures as one *carrier.Failed. A message that could not be handed over is an error of its own
// kind, errHandOver. before are the handlings that led here; the next message takes them along.
func (n *node) carryOn(ctx context.Context, e Experiment, order *orderpb.Order, from Step, before ...*orderpb.Handling) (*orderpb.Receipt, error) {
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return &orderpb.Receipt{}, err
	}
	p := &plan{node: n, exp: e, table: table, order: order, handlings: before,
		done: map[Step]bool{from: true}, started: map[Step]bool{}, published: map[string]bool{}, carry: []Step{from}}
	for {
		if err := p.publish(ctx); err != nil {
			return p.receipt(), errors.Join(errHandOver, err)
		}
		wave := p.ready()
		if len(wave) == 0 {
			break
		}
		p.call(ctx, wave)
	}
	if len(p.failures) > 0 {
		return p.receipt(), &carrier.Failed{Failures: p.failures}
	}
	return p.receipt(), nil
}

// errHandOver marks that the plan could not be handed over: nobody has failed, but nobody carries on either.
var errHandOver = errors.New("plan not handed over")

// publish hands the plan over where the next hop is a message: one message for each topic, however many consume it.
func (p *plan) publish(ctx context.Context) error {
	carry := p.carry
	p.carry = nil
	for _, step := range carry {
		for _, hop := range p.table.Hops {
			if hop.By[p.exp.Form] != Message || !slices.Contains(hop.After, step) || p.published[hop.Topic+string(step)] {
				continue
			}
			p.published[hop.Topic+string(step)] = true
			if err := p.node.publish(ctx, hop.Topic, &orderpb.Event{Order: p.order, Step: string(step), Handlings: p.handlings}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ready lists the hops that are next and are calls, or local steps of this service.
func (p *plan) ready() []Hop {
	var wave []Hop
	for _, hop := range p.table.Hops {
		by := hop.By[p.exp.Form]
		if by == Message || by == Local && hop.Step.Service() != p.node.name || p.done[hop.Step] || p.started[hop.Step] {
			continue
		}
		if len(hop.After) > 0 && !slices.ContainsFunc(hop.After, func(s Step) bool { return !p.done[s] }) {
			wave = append(wave, hop)
		}
	}
	return wave
}

// call executes hops side by side and notes how each ended.
func (p *plan) call(ctx context.Context, wave []Hop) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, hop := range wave {
		p.started[hop.Step] = true
		wg.Go(func() {
			receipt, err := p.node.hop(ctx, p.exp, hop, p.order)
			mu.Lock()
			defer mu.Unlock()
			for _, step := range receipt.GetSteps() {
				p.done[Step(step)] = true
			}
			p.handlings = append(p.handlings, receipt.GetHandlings()...)
			if err != nil {
				p.failures = append(p.failures, withStep(err, hop.Step).Failures...)
				return
			}
			if !p.table.Chained || hop.By[p.exp.Form] == Local {
				p.carry = append(p.carry, hop.Step)
			}
		})
	}
	wg.Wait()
	slices.Sort(p.carry) // whoever answered first
	slices.SortFunc(p.failures, func(a, b *orderpb.Failure) int { return strings.Compare(a.GetStep(), b.GetStep()) })
}

// hop executes one hop that is not a message and returns what it has done.
func (n *node) hop(ctx context.Context, e Experiment, hop Hop, order *orderpb.Order) (*orderpb.Receipt, error) {
	by := hop.By[e.Form]
	if by == Local {
		handling, err := n.handle(ctx, e, hop.Step, order, func(context.Context) error { return nil })
		if err != nil {
			return nil, err
		}
		return receiptOf(handling), nil
	}
	caller, err := n.caller(by)
	if err != nil {
		return nil, err
	}
	receipt := &orderpb.Receipt{}
	err = caller.Call(ctx, hop.Step.Service(), hop.Step.Verb(), order, receipt)
	return receipt, err
}

func receiptOf(handling *orderpb.Handling) *orderpb.Receipt {
	return &orderpb.Receipt{Steps: []string{handling.GetStep()}, Handlings: []*orderpb.Handling{handling}}
}

// caller is what carries calls.
func (n *node) caller(by Carrier) (carrier.Caller, error) {
	switch by {
	case HTTP:
		return n.http, nil
	case RPC:
		return n.grpc, nil
	default:
		return nil, fmt.Errorf("carrier %q is no call", by)
	}
}

// serveCall is a step that was asked for by a call: do it and, in a chained topology, carry on from there.
func (n *node) serveCall(ctx context.Context, step Step, order *orderpb.Order, do func(context.Context, *orderpb.Order) error) (*orderpb.Receipt, error) {
	e, err := experimentOf(ctx)
	if err != nil {
		return nil, carrier.Fail(string(step), carrier.BadRequest, err.Error())
	}
	if order.GetId() == "" {
		return nil, carrier.Fail(string(step), carrier.BadRequest, "the order has no id: place it at the gateway")
	}
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return nil, carrier.Fail(string(step), carrier.BadRequest, err.Error())
	}
	handling, err := n.handle(ctx, e, step, order, func(ctx context.Context) error { return do(ctx, order) })
	if err != nil {
		return nil, err
	}
	if !table.Chained {
		return receiptOf(handling), nil
	}
	return n.carryOn(ctx, e, order, step, handling)
}

// serveMessage is a step that a message asks for: do it, unless it has been done, and carry on. A failure ends the order
// by a message of its own, and the partition goes on. It returns how the step was handled, nil when it failed.
func (n *node) serveMessage(ctx context.Context, e Experiment, step Step, event *orderpb.Event, do func(context.Context, *orderpb.Order) error) (*orderpb.Handling, error) {
	order, handlings := event.GetOrder(), event.GetHandlings()
	handling, err := n.handle(ctx, e, step, order, func(ctx context.Context) error { return do(ctx, order) })
	if err == nil {
		handlings = append(handlings, handling)
		_, err = n.carryOn(ctx, e, order, step, handlings...)
	}
	if err == nil || errors.Is(err, carrier.ErrUnfinished) {
		return handling, err
	}
	if errors.Is(err, errHandOver) {
		return handling, fmt.Errorf("%w: %w", carrier.ErrUnfinished, err)
	}
	failed, ok := errors.AsType[*carrier.Failed](err)
	if !ok {
		return handling, err
	}
	end := &orderpb.Event{Order: order, Step: string(step), Failures: failed.Failures, Handlings: handlings}
	if err := n.publish(ctx, FailureTopic, end); err != nil {
		return handling, fmt.Errorf("%w: %w", carrier.ErrUnfinished, err)
	}
	return handling, failed
}

// publish sends an event. A client that goes away does not stop it. A client that waits for the
// acknowledgement waits for handOverTimeout; a consumer waits for ever.
func (n *node) publish(ctx context.Context, topic string, event *orderpb.Event) error {
	if n.broker == nil {
		return carrier.Fail("", carrier.Unavailable, "this service has no broker: name one with --kafka")
	}
	if ctx.Done() != nil { // a caller waits
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), handOverTimeout)
		defer cancel()
	}
	return n.broker.Publish(ctx, topic, event)
}

// receipt says what is done and how it was handled.
func (p *plan) receipt() *orderpb.Receipt {
	receipt := &orderpb.Receipt{Handlings: p.handlings}
	for _, hop := range p.table.Hops {
		if p.done[hop.Step] {
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
