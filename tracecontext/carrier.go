package tracecontext

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

const (
	traceparentHeader = "traceparent"
	tracestateHeader  = "tracestate"
	baggageHeader     = "baggage"
)

// canonical has the names as net/http keeps them. Looking them up directly
// saves making the name canonical for every request.
var canonical = map[string]string{
	traceparentHeader: "Traceparent",
	tracestateHeader:  "Tracestate",
	baggageHeader:     "Baggage",
}

// spaceSetter is a carrier of bytes that is written without a string in
// between. SetSpace replaces all headers with this key by one of n bytes, and
// returns them to be filled in. otelkgo's carrier of Kafka headers is one.
type spaceSetter interface {
	SetSpace(key string, n int) []byte
}

// bytesGetter is a carrier of bytes in which no header is doubled. What GetBytes
// returns is read before the next call and never kept.
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
// that cannot delete gets an empty value, which readers take for none.
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

// readOnly reports whether carrier is nil, or a nil map, which cannot be written.
func readOnly(carrier propagation.TextMapCarrier) bool {
	switch c := carrier.(type) {
	case nil:
		return true
	case propagation.HeaderCarrier:
		return c == nil
	case propagation.MapCarrier:
		return c == nil
	}
	return false
}

// orBackground returns ctx, or an empty context in the place of nil.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
