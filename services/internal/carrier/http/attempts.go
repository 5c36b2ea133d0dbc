package http

import (
	"net/http"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
)

// attempted sits under the instrumentation and marks the span of a request that is an attempt.
type attempted struct{ base http.RoundTripper }

// RoundTrip passes the request on.
func (t attempted) RoundTrip(req *http.Request) (*http.Response, error) {
	if a := carrier.CallAttemptOf(req.Context()); a != nil {
		span := trace.SpanFromContext(req.Context())
		if a.Mark(span); a.Number > 1 {
			span.SetAttributes(semconv.HTTPRequestResendCount(a.Number - 1))
		}
	}
	return t.base.RoundTrip(req)
}
