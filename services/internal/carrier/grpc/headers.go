package grpc

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"tracelab/internal/telemetry"
	"tracelab/tracecontext/grpcmeta"
)

// written keeps a call's metadata on its CLIENT span. It comes behind the instrumentation, which writes some of it. What gRPC itself adds
// on the wire (content-type, user-agent) no handler sees.
type written struct {
	grpcmeta.Handler // for all that is nothing to do
	headers          telemetry.Headers
}

// TagRPC sees the context of a call that goes out.
func (h written) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if md, ok := metadata.FromOutgoingContext(ctx); ok {
		h.headers.Record(trace.SpanFromContext(ctx), telemetry.GRPCHeader, telemetry.Lines(md))
	}
	return ctx
}

// read keeps a call's metadata on its SERVER span. It comes behind the instrumentation, which begins that span.
type read struct {
	grpcmeta.Handler // for all that is nothing to do
	headers          telemetry.Headers
}

// TagRPC sees the context of a call that has come in.
func (h read) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		h.headers.Record(trace.SpanFromContext(ctx), telemetry.GRPCHeader, telemetry.Lines(md))
	}
	return ctx
}
