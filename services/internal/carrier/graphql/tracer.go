package graphql

import (
	"context"

	"github.com/graph-gophers/graphql-go/errors"
	"github.com/graph-gophers/graphql-go/introspection"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/internal/text"
	"tracelab/services/internal/carrier"
)

// maxDocument is how many bytes of a query a span has.
const maxDocument = 1024

// keyField names the field of a resolver's span, as OpenTelemetry's instrumentation of graphql-js does: the conventions have no span for it.
const keyField = attribute.Key("graphql.field.name")

// tracer makes the spans of queries by today's conventions for GraphQL; graphql-go's own have names of before. The spans are INTERNAL, where
// the conventions have SERVER: the query comes from the service itself, within the server span of whoever called it.
type tracer struct{ spans trace.Tracer }

// TraceQuery begins the span of a query, named by its type: an operation's name is the client's to choose.
func (t tracer) TraceQuery(ctx context.Context, document, operation string, _ map[string]any, _ map[string]*introspection.Type) (context.Context, func([]*errors.QueryError)) {
	query := trace.WithAttributes(semconv.GraphQLOperationTypeQuery, semconv.GraphQLOperationName(operation), semconv.GraphQLDocument(text.Cut(document, maxDocument)))
	ctx, span := t.spans.Start(ctx, semconv.GraphQLOperationTypeQuery.Value.AsString(), query) //nolint:spancheck // the function that is returned ends it
	return ctx, func(errs []*errors.QueryError) {                                              //nolint:spancheck // it ends the span
		if len(errs) > 0 {
			fail(span, errs[0])
		}
		span.End()
	}
}

// TraceField begins the span of a resolver that calls somebody.
func (t tracer) TraceField(ctx context.Context, _, typeName, field string, trivial bool, _ map[string]any) (context.Context, func(*errors.QueryError)) {
	if trivial {
		return ctx, func(*errors.QueryError) {}
	}
	ctx, span := t.spans.Start(ctx, typeName+"."+field, trace.WithAttributes(keyField.String(field))) //nolint:spancheck // the function that is returned ends it
	return ctx, func(err *errors.QueryError) {                                                        //nolint:spancheck // it ends the span
		if err != nil {
			fail(span, err)
		}
		span.End()
	}
}

func fail(span trace.Span, err *errors.QueryError) {
	cause := err.ResolverError
	if cause == nil {
		cause = err
	}
	failed := carrier.AsFailed("", cause)
	telemetry.MarkFailed(span, failed.Reason(), failed)
}
