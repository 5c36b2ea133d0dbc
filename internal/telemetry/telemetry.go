// Package telemetry gives each service its own tracer and meter provider, logger and propagator. Nothing here is global, so
// that several services can share one process.
package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/contrib/processors/baggagecopy"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the instrumentation scope of the spans and metrics that services make themselves.
const Scope = "tracelab/services"

// FlowKey is the resource attribute that names the flow which a service does its part of.
const FlowKey = attribute.Key("tracelab.flow")

// Config is what all services of a lab have in common.
type Config struct {
	Version string // service.version
	// Host is host.id and host.name of every service of the lab, wherever it runs: Jaeger takes consumers on another
	// host for clock skew and moves their spans.
	Host       string
	Instance   string // the part of service.instance.id that tells this process from another
	Flow       string // tracelab.flow of the resource, so that metrics of one flow can be told from another's; "": none
	Processors []sdktrace.SpanProcessor
	// Reader makes the reader of one service's metrics; whoever gives it ends it, see Metrics. Nil: nothing is measured.
	Reader func() sdkmetric.Reader
	// Process is the service that reports the metrics of the process, of the Go runtime and its span queue: once, however
	// many services share it. "": nobody does.
	Process string
	// Form returns the form of the context's order, one of few words, for labels and attributes.
	Form func(context.Context) string
	// Profiled puts the services' work under labels for a CPU profiler, see Labels, and makes spans name their profile.
	Profiled bool
	// Headers makes spans keep what crossed their hop, see Headers.Record.
	Headers bool

	Propagator propagation.TextMapPropagator
	Logs       slog.Handler
	// BaggageKeys lists the only baggage members that become span attributes: other baggage is none of our business.
	BaggageKeys []string
	// Alive tells whether the service is there: what it begins later makes no span, and a span that ends later is lost with it. Nil: always.
	Alive func() bool
	// IDs makes trace and span ids; nil is the SDK's random generator.
	IDs sdktrace.IDGenerator
}

// Provider is the telemetry of one service. It is not shut down: its processors outlive it, and the SDK's providers tell them nothing of spans that end
// after a shutdown, so the spans of work that a service's end has cut off would be lost without a word.
type Provider struct {
	Spans      trace.TracerProvider
	Tracer     trace.Tracer
	Labels     Labels
	Headers    Headers
	Form       func(context.Context) string
	Meters     metric.MeterProvider
	Propagator propagation.TextMapPropagator
	Log        *slog.Logger
}

// New makes a service's provider.
func (c Config) New(service string) (*Provider, error) {
	attributes := []attribute.KeyValue{
		semconv.ServiceName(service), semconv.ServiceInstanceID(service + "-" + c.Instance), semconv.ServiceVersion(c.Version),
		semconv.HostID(c.Host), semconv.HostName(c.Host),
	}
	if c.Flow != "" {
		attributes = append(attributes, FlowKey.String(c.Flow))
	}
	res, err := resource.New(context.Background(), resource.WithSchemaURL(semconv.SchemaURL), resource.WithAttributes(attributes...))
	if err != nil {
		return nil, fmt.Errorf("resource of %s: %w", service, err)
	}
	allowed := make(map[string]bool, len(c.BaggageKeys))
	for _, key := range c.BaggageKeys {
		allowed[key] = true
	}
	opts := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithSampler(c.sampler()),
		// First, so that the processors after it see the attributes.
		sdktrace.WithSpanProcessor(baggagecopy.NewSpanProcessor(func(m baggage.Member) bool { return allowed[m.Key()] })),
	}
	for _, p := range c.Processors {
		opts = append(opts, sdktrace.WithSpanProcessor(shared{p, c.Alive}))
	}
	if c.IDs != nil {
		opts = append(opts, sdktrace.WithIDGenerator(c.IDs))
	}
	meters := c.meterProvider(res)
	if service == c.Process {
		if err := observeProcess(meters, c.Processors); err != nil {
			return nil, err
		}
	}
	logs := c.Logs
	if logs == nil {
		logs = slog.DiscardHandler
	}
	p := &Provider{
		Spans: sdktrace.NewTracerProvider(opts...), Headers: Headers{c.Headers}, Form: c.Form, Meters: meters, Propagator: c.Propagator,
		Log: slog.New(traced{logs}).With("service", service),
	}
	if p.Form == nil {
		p.Form = func(context.Context) string { return "" }
	}
	if c.Profiled {
		p.Labels = newLabels(service, p.Form, p.Propagator)
		p.Spans = newSpanProfiles(p.Spans)
	}
	p.Tracer = p.Spans.Tracer(Scope, trace.WithSchemaURL(semconv.SchemaURL))
	return p, nil
}

// shared is a processor that outlives the providers that use it. Whoever made it shuts it down, which flushes it too.
type shared struct {
	sdktrace.SpanProcessor
	alive func() bool // nil: always
}

// traced adds the ids of the context's span to every record.
type traced struct{ slog.Handler }

// Handle adds trace_id and span_id.
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the ids on derived handlers.
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup keeps the ids on derived handlers.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

// MarkFailed gives a span the status and the error.type of a failure.
func MarkFailed(span trace.Span, reason string, err error) {
	span.SetStatus(codes.Error, err.Error())
	span.SetAttributes(semconv.ErrorTypeKey.String(reason))
}
