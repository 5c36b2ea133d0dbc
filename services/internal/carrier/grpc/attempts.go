package grpc

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/stats"

	"tracelab/services/internal/carrier"
	"tracelab/tracecontext/grpcmeta"
)

// attempted marks the CLIENT span of a call that is an attempt. It comes after the instrumentation, which begins that span.
type attempted struct {
	grpcmeta.Handler // for methods that do nothing
}

// TagRPC marks the span.
func (attempted) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if a := carrier.CallAttemptOf(ctx); a != nil {
		a.Mark(trace.SpanFromContext(ctx))
	}
	return ctx
}
