package services

import (
	"context"

	carrierhttp "tracelab/services/internal/carrier/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/orderpb"
)

// payment charges the customer.
type payment struct {
	orderpb.UnimplementedPaymentServer
	*node
}

func newPayment(n *node) *payment {
	s := &payment{node: n}
	orderpb.RegisterPaymentServer(n.grpcServer, s)
	n.httpServer.Traced("POST /"+Charge.Verb(), carrierhttp.Call(s.Charge))
	n.handleStep(Charge, s.charge)
	return s
}

// Charge serves the step as a call.
func (s *payment) Charge(ctx context.Context, order *orderpb.Order) (*orderpb.Receipt, error) {
	return s.serveCall(ctx, Charge, order, s.charge)
}

func (s *payment) charge(ctx context.Context, order *orderpb.Order) error {
	item, _ := itemOf(order.GetSku())
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int64("tracelab.payment.cents", int64(item.Price)*int64(order.GetQuantity())))
	return nil
}
