package services

import (
	"context"
	"fmt"

	carrierhttp "tracelab/services/internal/carrier/http"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// inventory takes what was ordered from the shelf.
type inventory struct {
	orderpb.UnimplementedInventoryServer
	*node
}

func newInventory(n *node) *inventory {
	s := &inventory{node: n}
	orderpb.RegisterInventoryServer(n.grpcServer, s)
	n.httpServer.Traced("POST /"+Reserve.Verb(), carrierhttp.Call(s.Reserve))
	n.handleStep(Reserve, s.reserve)
	return s
}

// Reserve serves the step as a call.
func (s *inventory) Reserve(ctx context.Context, order *orderpb.Order) (*orderpb.Receipt, error) {
	return s.serveCall(ctx, Reserve, order, s.reserve)
}

func (s *inventory) reserve(_ context.Context, order *orderpb.Order) error {
	item, ok := itemOf(order.GetSku())
	if !ok || order.GetQuantity() > item.Shelf {
		return carrier.Fail(string(Reserve), "out_of_stock", fmt.Sprintf("%d of %s ordered, %d there", order.GetQuantity(), order.GetSku(), item.Shelf))
	}
	return nil
}
