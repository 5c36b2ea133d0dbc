package services

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
)

// outside reads the context that clients send. An order gets its id in orders, so a client's is not one: it must not
// reach a span. Any other baggage travels on.
type outside struct{ propagation.TextMapPropagator }

// Extract leaves the client's order id out.
func (o outside) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	ctx = o.TextMapPropagator.Extract(ctx, carrier)
	bag := baggage.FromContext(ctx)
	if bag.Member(KeyOrderID).Key() == "" {
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, bag.DeleteMember(KeyOrderID))
}
