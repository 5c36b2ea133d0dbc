package services

import (
	"context"
	"fmt"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// ownCode is what a step does besides its cost.
type ownCode func(ctx context.Context, step Step, order *orderpb.Order) error

// codeOf finds the code of a step's own. All other steps are all waiting and computing: their cost stands for a bank, a mail provider, a
// warehouse. A step of a flow of one's own gets code here, and nowhere else is a step known by its name.
func codeOf(f *flows.Flow, step Step) ownCode {
	code := map[string]ownCode{
		"order: inventory.Reserve": reserve,
		"order: payment.Charge":    charge,
	}[f.Name+": "+string(step)]
	if code == nil {
		return func(context.Context, Step, *orderpb.Order) error { return nil }
	}
	return code
}

// item is one thing that can be ordered.
type item struct {
	price uint64 // in cents
	// shelf is how many there are for one order. The shelf is filled again between orders, so that an order's fate
	// depends on the order alone and not on which form came first.
	shelf uint64
}

// catalogue lists what can be ordered, by the field sku of the flow order.
func catalogue() map[string]item {
	return map[string]item{"tea-green": {590, 1000}, "tea-black": {490, 1000}, "cup": {1250, 1000}, "kettle": {4900, 3}}
}

// ordered is the item that is ordered, and how many of it.
func ordered(order *orderpb.Order) (sku string, it item, quantity uint64) {
	sku = order.GetBody()["sku"]
	quantity, _ = strconv.ParseUint(order.GetBody()["quantity"], 10, 64) // the gateway has checked it; what comes from elsewhere is none
	return sku, catalogue()[sku], quantity
}

// reserve takes what was ordered from the shelf.
func reserve(_ context.Context, step Step, order *orderpb.Order) error {
	if sku, it, quantity := ordered(order); quantity > it.shelf {
		refused := carrier.Fail(string(step), "out_of_stock", fmt.Sprintf("%d of %s ordered, %d there", quantity, sku, it.shelf))
		refused.Answer = true
		return refused
	}
	return nil
}

// charge notes on the step's span what the customer is charged.
func charge(ctx context.Context, _ Step, order *orderpb.Order) error {
	_, it, quantity := ordered(order)
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int64("tracelab.payment.cents", int64(it.price*quantity)))
	return nil
}
