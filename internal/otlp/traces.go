package otlp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// NewTraceExporter makes an exporter of spans, see NewTraceClient.
func NewTraceExporter(ctx context.Context, to Endpoint) (sdktrace.SpanExporter, error) {
	exporter, err := otlptrace.New(ctx, NewTraceClient(to))
	if err != nil {
		return nil, fmt.Errorf("otlp endpoint %s: %w", to, err)
	}
	return exporter, nil
}

// NewTraceClient makes a client for spans.
//
// It sends again what the endpoint does not take. The clients' own first pause is up to 7.5 s, in which a full load of
// spans overflows the queue in front of them although the collector is there again after one: hence a shorter one.
func NewTraceClient(to Endpoint) otlptrace.Client {
	return newTraceClient(to, otlptracegrpc.RetryConfig{
		Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: time.Minute,
	})
}

// NewTraceClientOnce makes a client that does not try again, for whoever wants to hear of the first refusal.
func NewTraceClientOnce(to Endpoint) otlptrace.Client {
	return newTraceClient(to, otlptracegrpc.RetryConfig{})
}

func newTraceClient(to Endpoint, retry otlptracegrpc.RetryConfig) otlptrace.Client {
	overGRPC, overHTTP := otlptracegrpc.WithRetry(retry), otlptracehttp.WithRetry(otlptracehttp.RetryConfig(retry))
	switch {
	case to.OverHTTP():
		return otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(to.urlOf(tracesPath)), overHTTP)
	case !to.inEnv:
		return otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(to.HostPort()), otlptracegrpc.WithInsecure(), overGRPC)
	case strings.HasPrefix(to.protocol, "http"):
		return otlptracehttp.NewClient(overHTTP)
	default:
		return otlptracegrpc.NewClient(overGRPC)
	}
}
