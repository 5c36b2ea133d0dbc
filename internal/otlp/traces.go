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

	"tracelab/journey/source/redial"
)

// resend bounds the backoff between two attempts to send a batch. The clients' own first backoff is up to 7.5 s: the queue in
// front of them overflows meanwhile, although the endpoint may be back after one second.
var resend = otlptracegrpc.RetryConfig{
	Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: 500 * time.Millisecond, MaxElapsedTime: time.Minute,
}

// NewTraceExporter makes an exporter of spans, see NewTraceClient.
func NewTraceExporter(ctx context.Context, to Endpoint) (sdktrace.SpanExporter, error) {
	exporter, err := otlptrace.New(ctx, NewTraceClient(to))
	if err != nil {
		return nil, fmt.Errorf("otlp endpoint %s: %w", to, err)
	}
	return exporter, nil
}

// NewTraceClient makes a client for spans. It retries for up to a minute what the endpoint does not take, and while it cannot
// be reached.
func NewTraceClient(to Endpoint) otlptrace.Client { return Clean(newTraceClient(to, resend)) }

// NewTraceClientOnce makes a client that does not retry, so that the first refusal is returned.
func NewTraceClientOnce(to Endpoint) otlptrace.Client {
	return Clean(newTraceClient(to, otlptracegrpc.RetryConfig{}))
}

func newTraceClient(to Endpoint, retry otlptracegrpc.RetryConfig) otlptrace.Client {
	overGRPC := []otlptracegrpc.Option{otlptracegrpc.WithRetry(retry), otlptracegrpc.WithDialOption(redial.Option())}
	overHTTP := otlptracehttp.WithRetry(otlptracehttp.RetryConfig(retry))
	switch {
	case to.OverHTTP():
		return retryClient{otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(to.urlOf(tracesPath)), overHTTP), otlptracehttp.RetryConfig(retry)}
	case !to.inEnv:
		return otlptracegrpc.NewClient(append(overGRPC, otlptracegrpc.WithEndpoint(to.HostPort()), otlptracegrpc.WithInsecure())...)
	case strings.HasPrefix(to.protocol, "http"):
		return retryClient{otlptracehttp.NewClient(overHTTP), otlptracehttp.RetryConfig(retry)}
	default:
		return otlptracegrpc.NewClient(overGRPC...)
	}
}
