package tracecontext

import (
	"net/http"

	"go.opentelemetry.io/otel/propagation"
)

const (
	traceparentHeader = "traceparent"
	tracestateHeader  = "tracestate"
	baggageHeader     = "baggage"
)

// canonical are the names as net/http keeps them. Looking them up directly
// saves making the name canonical for every request.
var canonical = map[string]string{
	traceparentHeader: "Traceparent",
	tracestateHeader:  "Tracestate",
	baggageHeader:     "Baggage",
}

// HTTPCarrier returns the carrier of HTTP headers. It is the one of
// OpenTelemetry, which shows all values; otelhttp uses it by itself.
func HTTPCarrier(h http.Header) propagation.TextMapCarrier { return propagation.HeaderCarrier(h) }

// spaceSetter is a carrier of bytes that can be written without a string in
// between: SetSpace replaces all headers with this key by one of n bytes, and
// returns them to be filled in. Those of Kafka are such.
type spaceSetter interface {
	SetSpace(key string, n int) []byte
}

// bytesGetter is a carrier of bytes with no header twice. What GetBytes returns
// is read before the next call and never kept.
type bytesGetter interface {
	GetBytes(key string) []byte
}

// values returns all values of a header. The first result stands for one value
// without a slice; more is nil unless there are several.
func values(carrier propagation.TextMapCarrier, key string) (one string, more []string) {
	var all []string
	switch c := carrier.(type) {
	case propagation.HeaderCarrier:
		all = c[canonical[key]]
	case propagation.ValuesGetter:
		all = c.Values(key)
	default:
		return carrier.Get(key), nil
	}
	switch len(all) {
	case 0:
		return "", nil
	case 1:
		return all[0], nil
	}
	return "", all
}

// removeKey removes what an earlier use of the carrier left under key. A carrier
// that cannot delete gets an empty value, which every reader takes for none.
func removeKey(carrier propagation.TextMapCarrier, key string) {
	switch c := carrier.(type) {
	case propagation.HeaderCarrier:
		delete(c, canonical[key])
	case interface{ Delete(key string) }:
		c.Delete(key)
	default:
		if carrier.Get(key) != "" {
			carrier.Set(key, "")
		}
	}
}
