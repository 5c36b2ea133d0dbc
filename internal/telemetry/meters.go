package telemetry

import (
	"slices"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tracelab/otelamqp"
	"tracelab/otelkgo"
)

// maxSeries is how many series one instrument of one service may have; what comes on top is summed up in one series with
// otel.metric.overflow=true. The widest ones here count messages: 2 topics, 8 partitions, and an error.type
// of which a client chooses the value where faults are allowed.
const maxSeries = 500

// meterProvider makes a service's meter provider; without a reader it costs nothing.
func (c Config) meterProvider(res *resource.Resource) metric.MeterProvider {
	if c.Reader == nil {
		return noop.NewMeterProvider()
	}
	return sdkmetric.NewMeterProvider(
		sdkmetric.WithResource(res), sdkmetric.WithReader(c.Reader()), sdkmetric.WithView(bounded),
		sdkmetric.WithCardinalityLimit(maxSeries),
		sdkmetric.WithExemplarFilter(exemplar.TraceBasedFilter), // whatever OTEL_METRICS_EXEMPLAR_FILTER says
	)
}

// bounded keeps, of what the libraries measure, the attributes that have few values whatever a client does. It removes
// server.address and server.port (an HTTP server takes them from the client's Host, others have ephemeral ports of peers),
// and whatever a new version of a library may add.
func bounded(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
	keep := boundedKeys(i.Scope.Name)
	if keep == nil {
		return sdkmetric.Stream{}, false
	}
	if i.Kind == sdkmetric.InstrumentKindHistogram { // a dozen series for each of eight partitions, which nobody looks at one by one
		keep = slices.DeleteFunc(keep, func(k attribute.Key) bool { return k == semconv.MessagingDestinationPartitionIDKey })
	}
	return sdkmetric.Stream{Name: i.Name, Description: i.Description, Unit: i.Unit, AttributeFilter: attribute.NewAllowKeysFilter(keep...)}, true
}

// boundedKeys lists the attributes to keep of a scope's metrics; nil keeps all.
func boundedKeys(scope string) []attribute.Key {
	switch scope {
	case otelhttp.ScopeName: // the method is one of the known ones or _OTHER
		return []attribute.Key{
			semconv.HTTPRequestMethodKey, semconv.HTTPRouteKey, semconv.URLTemplateKey, semconv.HTTPResponseStatusCodeKey,
			semconv.NetworkProtocolVersionKey, semconv.ErrorTypeKey,
		}
	case otelgrpc.ScopeName: // unknown methods are not measured, see package carrier/grpc
		return []attribute.Key{semconv.RPCSystemNameKey, semconv.RPCMethodKey, semconv.RPCResponseStatusCodeKey, semconv.ErrorTypeKey}
	case otelkgo.ScopeName, otelamqp.ScopeName:
		return []attribute.Key{
			semconv.MessagingSystemKey, semconv.MessagingOperationNameKey, semconv.MessagingOperationTypeKey,
			semconv.MessagingDestinationNameKey, semconv.MessagingDestinationTemplateKey,
			semconv.MessagingDestinationPartitionIDKey, semconv.MessagingConsumerGroupNameKey, semconv.ErrorTypeKey,
		}
	default: // ours, and the runtime's
		return nil
	}
}
