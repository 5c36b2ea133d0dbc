package services

import (
	"context"

	carrierhttp "tracelab/services/internal/carrier/http"

	"tracelab/services/internal/orderpb"
)

// notification tells the customer.
type notification struct {
	orderpb.UnimplementedNotificationServer
	*node
}

func newNotification(n *node) *notification {
	s := &notification{node: n}
	orderpb.RegisterNotificationServer(n.grpcServer, s)
	n.httpServer.Traced("POST /"+Notify.Verb(), carrierhttp.Call(s.Notify))
	n.handleStep(Notify, s.notify)
	return s
}

// Notify serves the step as a call.
func (s *notification) Notify(ctx context.Context, order *orderpb.Order) (*orderpb.Receipt, error) {
	return s.serveCall(ctx, Notify, order, s.notify)
}

// notify is all waiting: its cost stands for the mail provider.
func (s *notification) notify(context.Context, *orderpb.Order) error { return nil }
