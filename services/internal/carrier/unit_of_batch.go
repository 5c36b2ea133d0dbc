package carrier

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
)

// UnitOfBatch is the span of one message within its batch. It has the message's baggage, and a link to the span that sent the message: what it causes
// belongs to the journey of that message, not to those of the whole batch.
const UnitOfBatch = "unit of batch"

// StartUnitOfBatch begins the span of one message within its batch, which is current in ctx. Own has the message's context and baggage.
func StartUnitOfBatch(ctx, own context.Context, tracer trace.Tracer) (context.Context, func(error)) {
	var links []trace.Link
	if creation := trace.SpanContextFromContext(own); creation.IsValid() {
		links = append(links, trace.Link{SpanContext: creation})
	}
	ctx, span := tracer.Start(baggage.ContextWithBaggage(ctx, baggage.FromContext(own)), UnitOfBatch, trace.WithLinks(links...)) //nolint:spancheck // the function that is returned ends it
	return ctx, func(err error) {                                                                                                //nolint:spancheck // it ends the span
		if err != nil {
			telemetry.MarkFailed(span, AsFailed("", err).Reason(), err)
		}
		span.End()
	}
}
