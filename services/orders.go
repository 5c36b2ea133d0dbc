package services

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	carrierhttp "tracelab/services/internal/carrier/http"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// handOverPatience is how long a client waits at the most for the broker to acknowledge the message that carries on.
const handOverPatience = 5 * time.Second

// orders accepts orders, keeps their state, holds the plan of the call forms and joins the branches of the others.
type orders struct {
	orderpb.UnimplementedOrdersServer
	*node
	ledger  *ledger
	metrics orderMetrics
}

func newOrders(n *node) (*orders, error) {
	metrics, err := newOrderMetrics(n.telemetry, Accepted, Refused, Completed, Failed)
	if err != nil {
		return nil, err
	}
	o := &orders{node: n, ledger: newLedger(), metrics: metrics}
	orderpb.RegisterOrdersServer(n.grpcServer, o)
	n.httpServer.Traced("POST /"+Accept.Verb(), carrierhttp.Call(o.Accept))
	n.httpServer.Plain("GET /orders/{id}", http.HandlerFunc(o.get))
	n.httpServer.Plain("GET /runs/{run}", http.HandlerFunc(o.accounts))
	n.httpServer.Plain("GET /runs/{run}/orders", http.HandlerFunc(o.list))
	n.handle(FailureTopic, o.fail)
	n.handle("order.fulfilled", o.arrive)
	return o, nil
}

// Accept records an order and carries on with it. It answers when the plan has ended, or is handed over to a message.
func (o *orders) Accept(ctx context.Context, placement *orderpb.Placement) (*orderpb.Acceptance, error) {
	e, err := experimentOf(ctx)
	if err != nil {
		o.metrics.count(ctx, otherForm, Refused)
		return nil, carrier.Fail("", carrier.BadRequest, err.Error())
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an order id: %w", err)
	}
	en, replay, failed := o.ledger.begin(e, placement.GetIdempotencyKey(), placement.GetOrder(), id.String())
	if failed != nil {
		o.metrics.count(ctx, e.Form, Refused)
		return nil, failed
	}
	if replay {
		return replayed(en)
	}
	answer, err := o.place(ctx, e, en)
	if err == nil {
		o.ledger.answer(en, answer, nil)
		return answer, nil
	}
	failed = carrier.AsFailed(string(Accept), err)
	if !en.accepted {
		o.ledger.refuse(en)
		o.metrics.count(ctx, e.Form, Refused)
		return nil, failed
	}
	failed.OrderID = en.state.ID
	o.ledger.answer(en, nil, failed)
	return nil, failed
}

func replayed(en *entry) (*orderpb.Acceptance, error) {
	if en.failed != nil {
		return nil, en.failed
	}
	return en.answer, nil
}

// place does the step, records the order, and takes the plan as far as calls take it.
func (o *orders) place(ctx context.Context, e Experiment, en *entry) (*orderpb.Acceptance, error) {
	id := en.state.ID
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(KeyOrderID, id))
	ctx, err := withOrderID(ctx, id)
	if err != nil {
		return nil, err
	}
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return nil, err
	}
	if hop, _ := table.Hop(Reserve); hop.By[e.Form] == Message {
		// From here on the order does not depend on the client's patience, only the answer does.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), handOverPatience)
		defer cancel()
	}
	if err := o.perform(ctx, e, Accept, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	o.ledger.accept(en)
	o.metrics.count(ctx, e.Form, Accepted)
	order := &orderpb.Order{Id: id, Customer: en.request.GetCustomer(), Sku: en.request.GetSku(), Quantity: en.request.GetQuantity()}
	steps, err := o.carryOn(ctx, e, order, Accept)
	o.metrics.ended(ctx, o.ledger.did(id, asSteps(steps)...))
	if err != nil {
		if failed, ok := errors.AsType[*carrier.Failed](err); ok && !errors.Is(err, errHandOver) {
			end, _ := o.ledger.fail(id, failed.Failures)
			o.metrics.ended(ctx, end)
		}
		return nil, err
	}
	state, _ := o.ledger.get(id)
	answer := &orderpb.Acceptance{OrderId: id, Status: string(Accepted), Steps: steps}
	if table.EndsInCall(e.Form) {
		answer.Status = string(state.Status)
	}
	return answer, nil
}

// arrive takes the message of one finished branch. The third runs the one orders.Complete under its process span.
func (o *orders) arrive(ctx context.Context, e Experiment, event *orderpb.Event) error {
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return err
	}
	hop, _ := table.Hop(Complete)
	last, known := o.ledger.arrive(event.GetOrder().GetId(), Step(event.GetStep()), hop.After)
	if !known {
		return o.stranger(event)
	}
	if !last {
		return nil
	}
	err = o.serveMessage(ctx, e, Complete, event.GetOrder(), func(context.Context, *orderpb.Order) error { return nil })
	if err == nil {
		o.metrics.ended(ctx, o.ledger.did(event.GetOrder().GetId(), Complete))
	}
	return err
}

// fail takes the message that ends an order.
func (o *orders) fail(ctx context.Context, _ Experiment, event *orderpb.Event) error {
	end, known := o.ledger.fail(event.GetOrder().GetId(), event.GetFailures())
	if !known {
		return o.stranger(event)
	}
	o.metrics.ended(ctx, end)
	return nil
}

// stranger is a message of an order that this process has never accepted: orders keeps its state in memory only.
func (o *orders) stranger(event *orderpb.Event) error {
	return carrier.Fail("", "order_unknown", "no order "+event.GetOrder().GetId()+" in this process: it was accepted before a restart")
}

func (o *orders) get(w http.ResponseWriter, r *http.Request) {
	state, ok := o.ledger.get(r.PathValue("id"))
	if !ok {
		carrierhttp.WriteProblem(w, carrier.Fail("", "order_not_found", "no order "+r.PathValue("id")))
		return
	}
	carrierhttp.WriteJSON(w, http.StatusOK, state)
}

func (o *orders) accounts(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, o.ledger.accounts(r.PathValue("run")))
}

func (o *orders) list(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, o.ledger.run(r.PathValue("run")))
}

func asSteps(names []string) []Step {
	steps := make([]Step, len(names))
	for i, name := range names {
		steps[i] = Step(name)
	}
	return steps
}
