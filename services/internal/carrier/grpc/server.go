// Package grpc carries calls over gRPC.
package grpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/tracecontext/grpcmeta"
)

// Server is a gRPC server with the stock instrumentation, and limits.
type Server struct {
	*grpc.Server
	known func() map[string]bool // the full names of its methods
}

// maxCalls is how many calls one connection may have at a time: the client delays more.
const maxCalls = 1024

// NewServer makes the server; services register themselves on it.
func NewServer(provider *telemetry.Provider) *Server {
	recovered := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
		defer func() {
			if p := recover(); p != nil {
				provider.Log.ErrorContext(ctx, "handler panicked", "panic", p, "stack", string(debug.Stack()))
				err = carrier.Fail("", carrier.Internal, "the service has a bug; its log says more")
			}
		}()
		if answer, err = next(ctx, req); err != nil {
			return nil, carrier.AsFailed("", err)
		}
		return answer, nil
	}
	s := &Server{}
	s.known = sync.OnceValue(s.methods) // evaluated at the first call, when all services have registered
	options := []grpc.ServerOption{
		grpc.StatsHandler(callLabels{labels: provider.Labels}),
		grpc.StatsHandler(grpcmeta.Handler{}), // before otelgrpc, which shows a propagator only the first of doubled values
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(provider.Spans),
			otelgrpc.WithMeterProvider(provider.Meters), otelgrpc.WithPropagators(provider.Propagator),
			// Unknown methods get no span and no series: the caller picks the name, and gRPC never reports the call's end.
			otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool { return s.known()[info.FullMethodName] }))),
		grpc.UnaryInterceptor(recovered),
		grpc.MaxRecvMsgSize(carrier.MaxBody), grpc.MaxHeaderListSize(carrier.MaxBody), grpc.ConnectionTimeout(carrier.HeaderTimeout), grpc.MaxConcurrentStreams(maxCalls),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
	}
	if provider.Headers.On() { // each handler costs each call some time
		options = append(options, grpc.StatsHandler(read{headers: provider.Headers}))
	}
	s.Server = grpc.NewServer(options...)
	return s
}

// Method does what a call asks for.
type Method func(context.Context, *orderpb.Event) (*orderpb.Receipt, error)

// Handle adds a service by its full name, with its methods by theirs. All services have the same two messages, so none needs generated code.
func (s *Server) Handle(service string, methods map[string]Method) {
	desc := grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	for name, method := range methods {
		full := "/" + service + "/" + name
		call := func(ctx context.Context, in any) (any, error) { return method(ctx, in.(*orderpb.Event)) }
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name,
			Handler: func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
				in := &orderpb.Event{}
				if err := decode(in); err != nil {
					return nil, err
				}
				return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: full}, call) // NewServer has one
			}})
	}
	s.RegisterService(&desc, struct{}{})
}

// callLabels sets the profiler labels of each call's order: each call has a goroutine of its own.
type callLabels struct {
	grpcmeta.Handler // for methods that do nothing
	labels           telemetry.Labels
}

// TagRPC sets the labels. gRPC calls it on the call's goroutine.
func (h callLabels) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return h.labels.Order(ctx, metadata.ValueFromIncomingContext(ctx, "baggage")...)
}

// methods lists the methods that the server has, as /package.Service/Method.
func (s *Server) methods() map[string]bool {
	names := map[string]bool{}
	for service, info := range s.GetServiceInfo() {
		for _, method := range info.Methods {
			names["/"+service+"/"+method.Name] = true
		}
	}
	return names
}

// Serve answers on the listener until Shutdown, on so many connections at a time. It closes further ones.
func (s *Server) Serve(l net.Listener, connections int) error {
	if err := s.Server.Serve(carrier.LimitConnections(l, connections, nil)); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("grpc server on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more calls and waits for those that it has. When the context ends, it cuts them off, and does not wait for
// a handler that ignores that.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.GracefulStop(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.Stop() // GracefulStop goes on in its goroutine until all handlers have ended
		return fmt.Errorf("grpc server: calls cut off: %w", context.Cause(ctx))
	}
}
