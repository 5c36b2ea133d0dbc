package store

import (
	"context"
	"strings"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// tracer makes a CLIENT span of each statement that is run for a unit, below the span that runs it. Statements of nobody's, such as the relay's,
// have none, and neither have connections and the preparation of statements: they happen to one unit and serve many.
type tracer struct{ pgx.QueryTracer }

func queryTracer() pgx.QueryTracer {
	return tracer{otelpgx.NewTracer(otelpgx.WithTracerProvider(callers{}), otelpgx.WithMeterProvider(metricnoop.NewMeterProvider()))}
}

// TraceQueryStart begins the span, named by its operation and table as the conventions have it.
func (t tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	recording := trace.SpanFromContext(ctx).IsRecording()
	ctx = t.QueryTracer.TraceQueryStart(ctx, conn, data)
	if !recording {
		return ctx
	}
	span := trace.SpanFromContext(ctx)
	operation, table := operationOf(data.SQL)
	span.SetName(operation + " " + table)
	span.SetAttributes(semconv.DBOperationName(operation), semconv.DBCollectionName(table), semconv.DBQuerySummary(operation+" "+table))
	return ctx
}

// operationOf reads what a statement does, from its first line: -- INSERT units.
func operationOf(sql string) (operation, table string) {
	line, _, _ := strings.Cut(strings.TrimPrefix(sql, "-- "), "\n")
	operation, table, _ = strings.Cut(line, " ")
	return operation, table
}

// callers is a provider that makes each span by the provider of the span above it: services of one process share a store.
type callers struct{ embedded.TracerProvider }

// Tracer returns a tracer that asks the caller's.
func (callers) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return callersTracer{name: name, options: options}
}

type callersTracer struct {
	embedded.Tracer
	name    string
	options []trace.TracerOption
}

// Start begins a span below the one in the context.
func (t callersTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(t.name, t.options...).Start(ctx, name, options...) //nolint:spancheck // the caller ends it
}

// untraced is the context of a statement that serves many units, whoever's turn it is.
func untraced(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(context.WithoutCancel(ctx), trace.SpanContext{})
}
