package grpcmeta_test

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/trace"

	"tracelab/tracecontext"
	"tracelab/tracecontext/grpcmeta"
)

func ExampleHandler() {
	server := grpc.NewServer(
		grpc.StatsHandler(grpcmeta.Handler{}),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithPropagators(tracecontext.New()))),
	)
	defer server.Stop()
}

func ExampleCarrier() {
	md := metadata.Pairs("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "rojo=1", "tracestate", "congo=2")
	ctx := tracecontext.New().Extract(context.Background(), grpcmeta.Carrier(md))
	fmt.Println(trace.SpanContextFromContext(ctx).TraceState())
	// Output: rojo=1,congo=2
}
