package carrier

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

// SecondTraceparent is the parent that a propagator wants beside the one that it has written, to show what that does; "" almost always.
func SecondTraceparent(ctx context.Context, p propagation.TextMapPropagator) string {
	if doubler, ok := p.(interface {
		SecondTraceparent(context.Context) string
	}); ok {
		return doubler.SecondTraceparent(ctx)
	}
	return ""
}

// Doubles tells whether a propagator may ever want a second parent.
func Doubles(p propagation.TextMapPropagator) bool {
	_, ok := p.(interface {
		SecondTraceparent(context.Context) string
	})
	return ok
}
