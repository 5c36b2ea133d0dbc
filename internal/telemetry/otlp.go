package telemetry

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// OTLPMetrics makes an exporter to host:port (gRPC) or a URL (http:// or https://): the address that spans go to, so that
// /v1/traces at its end becomes /v1/metrics. The standard OTEL_EXPORTER_OTLP_* variables hold for what the address does not
// say; with an empty address they say everything, and protocol is what they say of it.
func OTLPMetrics(ctx context.Context, address, protocol string) (sdkmetric.Exporter, error) {
	overHTTP := []otlpmetrichttp.Option{otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{})}
	overGRPC := []otlpmetricgrpc.Option{otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{})}
	switch {
	case strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "https://"):
		endpoint, err := metricsURL(address)
		if err != nil {
			return nil, err
		}
		return otlpmetrichttp.New(ctx, append(overHTTP, otlpmetrichttp.WithEndpointURL(endpoint))...)
	case address != "":
		return otlpmetricgrpc.New(ctx, append(overGRPC, otlpmetricgrpc.WithEndpoint(address), otlpmetricgrpc.WithInsecure())...)
	case strings.HasPrefix(protocol, "http"):
		return otlpmetrichttp.New(ctx, overHTTP...)
	default:
		return otlpmetricgrpc.New(ctx, overGRPC...)
	}
}

// metricsURL is where metrics go when spans go to an address. A path of its own that does not end in /v1/traces stays as
// it is: whoever answers there has to tell the two apart.
func metricsURL(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("otlp endpoint: %w", err)
	}
	switch base, traces := strings.CutSuffix(u.Path, "/v1/traces"); {
	case traces:
		u.Path = base + "/v1/metrics"
	case u.Path == "":
		u.Path = "/v1/metrics"
	}
	return u.String(), nil
}
