package otlp

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"tracelab/journey/source/redial"
)

// NewMetricExporter makes an exporter of metrics. It does not retry: sums are cumulative, so the next export carries all
// that this one did.
func NewMetricExporter(ctx context.Context, to Endpoint) (sdkmetric.Exporter, error) {
	exporter, err := newMetricExporter(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("otlp endpoint %s: %w", to, err)
	}
	return cleanMetricExporter{exporter}, nil
}

func newMetricExporter(ctx context.Context, to Endpoint) (sdkmetric.Exporter, error) {
	overHTTP := []otlpmetrichttp.Option{otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{})}
	overGRPC := []otlpmetricgrpc.Option{otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}), otlpmetricgrpc.WithDialOption(redial.Option())}
	switch {
	case to.OverHTTP():
		return otlpmetrichttp.New(ctx, append(overHTTP, otlpmetrichttp.WithEndpointURL(to.urlOf(metricsPath)))...)
	case !to.inEnv:
		return otlpmetricgrpc.New(ctx, append(overGRPC, otlpmetricgrpc.WithEndpoint(to.HostPort()), otlpmetricgrpc.WithInsecure())...)
	case strings.HasPrefix(to.protocol, "http"):
		return otlpmetrichttp.New(ctx, overHTTP...)
	default:
		return otlpmetricgrpc.New(ctx, overGRPC...)
	}
}
