package services

import (
	"context"
	"fmt"
	"slices"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	carriergrpc "tracelab/services/internal/carrier/grpc"
	"tracelab/services/internal/orderpb"
)

// serveSteps makes a service answer calls of its steps, over HTTP and gRPC. entry is the method of the flow's entry step.
func (n *node) serveSteps(entry carriergrpc.Method) {
	methods := map[string]carriergrpc.Method{}
	undos := slices.DeleteFunc(n.flow.Undos(), func(undo Step) bool { return undo.Service() != n.name })
	for _, step := range append(n.flow.StepsOf(n.name), undos...) {
		method := func(ctx context.Context, event *orderpb.Event) (*orderpb.Receipt, error) {
			return n.serveCall(ctx, step, event)
		}
		if slices.Contains(undos, step) {
			method = func(ctx context.Context, event *orderpb.Event) (*orderpb.Receipt, error) {
				return n.serveUndo(ctx, step, event)
			}
		}
		if step == n.flow.Entry() {
			method = entry
		}
		named := func(ctx context.Context, event *orderpb.Event) (*orderpb.Receipt, error) {
			receipt, err := n.answer(ctx, step, event, method)
			if err != nil {
				return nil, n.flow.named(carrier.AsFailed("", err))
			}
			return receipt, nil
		}
		methods[step.Verb()] = named
		n.httpServer.Steps(step.Verb(), named)
	}
	if len(methods) > 0 {
		n.grpcServer.Handle(n.flow.RPCService(n.name), methods)
	}
}

// call calls a step of another service, with the carrier and the policies that the flow names.
func (n *node) call(ctx context.Context, e Experiment, by flows.Carrier, step Step, event *orderpb.Event, receipt *orderpb.Receipt) error {
	var caller carrier.Caller
	switch by {
	case flows.HTTP:
		caller = n.http
	case flows.RPC:
		caller = n.grpc
	default:
		return fmt.Errorf("carrier %q is no call", by)
	}
	event.Payload = n.payload(e, step)
	once := func(ctx context.Context) error { return caller.Call(ctx, step.Service(), step.Verb(), event, receipt) }
	if p := n.policies[step]; p != nil {
		return p.do(ctx, e, event, once)
	}
	return once(ctx)
}

// serveCall serves the call of a step: it does the step and, where the form says so, carries on from there. If the step is a join, all
// calls but the one of the last branch are only noted.
func (n *node) serveCall(ctx context.Context, step Step, event *orderpb.Event) (*orderpb.Receipt, error) {
	e, err := n.experimentOf(ctx, event.GetOrder())
	if err != nil {
		return nil, carrier.Fail(string(step), carrier.BadRequest, err.Error())
	}
	order := event.GetOrder()
	if order.GetId() == "" {
		return nil, carrier.Fail(string(step), carrier.BadRequest, "the "+n.flow.Unit+" has no id: place it at the gateway")
	}
	ctx = carrier.WithRedriven(ctx, event.GetRedriven())
	plan := n.flow.plan(e, order.GetBody())
	hop, ok := plan.Hop(step)
	if !ok {
		return nil, carrier.Fail(string(step), carrier.BadRequest, "this "+n.flow.Unit+" does not pass through the step")
	}
	if n.keeper != nil {
		if ready, err := n.keeper.hear(ctx, e, event, hop); !ready || err != nil {
			return &orderpb.Receipt{}, err
		}
	}
	receipt, err := n.doAndCarryOn(ctx, e, plan, hop, event)
	if n.keeper != nil {
		err = n.keeper.heard(ctx, receipt, err, hop, event)
	}
	if err == nil {
		err = n.crashAt(ctx, e, faults.BeforeCommit)
	}
	if err != nil {
		return nil, err
	}
	return receipt, nil
}

// doAndCarryOn does a step, unless it has been done, and carries on if this service holds the plan after it. The receipt is not nil when
// the step is done, even if a later step failed.
func (n *node) doAndCarryOn(ctx context.Context, e Experiment, plan *flows.Plan, hop flows.Hop, event *orderpb.Event) (*orderpb.Receipt, error) {
	handling, err := n.handle(ctx, e, hop.Step, event.GetOrder())
	if err != nil {
		return nil, err
	}
	if plan.Holder(hop.Step) != hop.Step {
		return receiptOf(handling), nil
	}
	return n.carryOn(ctx, e, plan, event.GetOrder(), hop.Step, append(slices.Clone(event.GetHandlings()), handling)...)
}

// leadsTo reports whether the finished steps of an event lead to a hop: all that it comes after, or one branch of a join.
func leadsTo(event *orderpb.Event, hop flows.Hop) bool {
	of := asSteps(event.GetSteps())
	if hop.Join {
		return len(of) == 1 && slices.Contains(hop.After, of[0])
	}
	return slices.Equal(of, hop.After)
}

// publish sends an event, even when the client goes away meanwhile. A call waits up to handOverTimeout for the acknowledgement, a consumer
// without limit.
func (n *node) publish(ctx context.Context, by flows.Carrier, topic string, event *orderpb.Event) error {
	broker := n.brokers[by]
	if broker == nil {
		return carrier.Fail("", carrier.Unavailable, fmt.Sprintf("this service has no broker for %s: name one with --%s", by, by))
	}
	if ctx.Done() != nil { // a caller waits
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), handOverTimeout)
		defer cancel()
	}
	return n.send(ctx, broker, topic, event)
}
