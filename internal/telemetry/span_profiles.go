package telemetry

import (
	"context"

	otelpyroscope "github.com/grafana/otel-profiling-go"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// spanProfiles makes spans that name their CPU profile: the SERVER and CONSUMER spans by which an order enters a service
// get pyroscope.profile.id, and the samples of their work have that id as label span_id. Spans of other kinds do not: they
// are inside these, or, like those of a Kafka client, end on goroutines that serve many orders, whose labels they would
// change.
type spanProfiles struct {
	embedded.TracerProvider
	plain, profiled trace.TracerProvider
}

func newSpanProfiles(plain trace.TracerProvider) trace.TracerProvider {
	return spanProfiles{plain: plain, profiled: otelpyroscope.NewTracerProvider(plain)}
}

// Tracer makes a tracer.
func (p spanProfiles) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return spanProfileTracer{plain: p.plain.Tracer(name, options...), profiled: p.profiled.Tracer(name, options...)}
}

type spanProfileTracer struct {
	embedded.Tracer
	plain, profiled trace.Tracer
}

// Start starts a span.
func (t spanProfileTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	config := trace.NewSpanStartConfig(options...)
	switch config.SpanKind() {
	case trace.SpanKindServer, trace.SpanKindConsumer:
		return t.profiled.Start(ctx, name, options...) //nolint:spancheck // the caller ends it
	default:
		return t.plain.Start(ctx, name, options...) //nolint:spancheck // the caller ends it
	}
}
