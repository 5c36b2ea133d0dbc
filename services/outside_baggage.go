package services

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"tracelab/services/flows"
)

// outside reads the context that clients send. Two things of a client's baggage must not reach a span: an order id,
// since orders gives it, and an experiment that makes no sense, since the request is refused. Any other baggage travels
// on.
type outside struct {
	propagation.TextMapPropagator
	flow *flows.Flow
}

// Extract leaves out the client's order id, and all of an experiment that makes no sense. experimentOf then tells why.
func (o outside) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	ctx = o.TextMapPropagator.Extract(ctx, carrier)
	if _, err := experimentOf(ctx, o.flow); err != nil {
		ctx = context.WithValue(ctx, senseless{}, err)
		return without(ctx, KeyRun, KeyForm, KeyFlow, KeyRelation, KeyNumber, KeySeed, KeyFaults, KeyStart, KeyOrderID)
	}
	return without(ctx, KeyOrderID)
}

// without removes members from the context's baggage. A context that has none of them stays as it is, and with it the
// header that is sent on.
func without(ctx context.Context, keys ...string) context.Context {
	bag, removed := baggage.FromContext(ctx), false
	for _, key := range keys {
		if bag.Member(key).Key() != "" {
			bag, removed = bag.DeleteMember(key), true
		}
	}
	if !removed {
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, bag)
}

// senseless is the key of the error that says why a client's experiment makes no sense.
type senseless struct{}
