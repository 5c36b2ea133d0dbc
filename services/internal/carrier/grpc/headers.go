package grpc

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
	"tracelab/tracecontext/grpcmeta"
)

// doubled adds a second traceparent to a call where a fault wants one. It comes after the instrumentation, which sets the first.
type doubled struct {
	grpcmeta.Handler // for methods that do nothing
	propagator       propagation.TextMapPropagator
}

// TagRPC adds it to the metadata of an outgoing call.
func (h doubled) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if second := carrier.SecondTraceparent(ctx, h.propagator); second != "" {
		return metadata.AppendToOutgoingContext(ctx, "traceparent", second)
	}
	return ctx
}

// written records a call's metadata on its CLIENT span. It comes after the instrumentation, which writes some of it. No handler sees what
// gRPC itself adds on the wire (content-type, user-agent).
type written struct {
	grpcmeta.Handler // for methods that do nothing
	headers          telemetry.Headers
}

// TagRPC records the metadata of an outgoing call.
func (h written) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if md, ok := metadata.FromOutgoingContext(ctx); ok {
		h.headers.Record(trace.SpanFromContext(ctx), telemetry.GRPCHeader, telemetry.Lines(md))
	}
	return ctx
}

// read records a call's metadata on its SERVER span. It comes after the instrumentation, which begins that span.
type read struct {
	grpcmeta.Handler // for methods that do nothing
	headers          telemetry.Headers
}

// TagRPC records the metadata of an incoming call.
func (h read) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		h.headers.Record(trace.SpanFromContext(ctx), telemetry.GRPCHeader, telemetry.Lines(md))
	}
	return ctx
}
