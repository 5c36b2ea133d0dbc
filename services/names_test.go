package services

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
)

// The names of the flow order, for the tests.
const (
	Orders       = "orders"
	Inventory    = "inventory"
	Payment      = "payment"
	Shipping     = "shipping"
	Notification = "notification"
	Analytics    = "analytics"

	Accept   Step = "orders.Accept"
	Reserve  Step = "inventory.Reserve"
	Charge   Step = "payment.Charge"
	Dispatch Step = "shipping.Dispatch"
	Notify   Step = "notification.Notify"
	Record   Step = "analytics.Record"
	Complete Step = "orders.Complete"

	FailureTopic      = "order.failed"
	Chained      Form = "chained"
)

// Names lists the services of the flow order.
func Names() []string { return flows.Order().Services() }

// Forms lists the forms that a run compares.
func Forms() []Form { return flows.Order().DefaultForms() }

// allForms lists the forms of the flow order.
func allForms() []Form { return flows.Order().Forms() }

// planFor is how a form of the flow order is carried out.
func planFor(form Form) *flows.Plan {
	p, err := flows.Order().Plan(form)
	if err != nil {
		panic(err)
	}
	return p
}

// costOf is what a step of the flow order costs.
func costOf(e Experiment, step Step) (wait time.Duration, rounds int) {
	row, ok := flows.Order().Row(step)
	if !ok {
		panic("no step " + step)
	}
	return e.Cost(row)
}

// anOrder is one of the flow order.
func anOrder(id, sku, quantity string) *orderpb.Order {
	return &orderpb.Order{Id: id, Body: map[string]string{"customer": "ada", "sku": sku, "quantity": quantity}}
}

// rpc calls a step as a stranger does.
func rpc(ctx context.Context, conn *grpc.ClientConn, step Step, event *orderpb.Event) (*orderpb.Receipt, error) {
	receipt := &orderpb.Receipt{}
	return receipt, conn.Invoke(ctx, "/"+flows.Order().RPCService(step.Service())+"/"+step.Verb(), event, receipt)
}

// joined is the hop that the branches lead to.
var joined = flows.Hop{Step: Complete, After: branches, Join: true}
