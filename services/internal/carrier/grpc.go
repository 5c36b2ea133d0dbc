package carrier

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/orderpb"
	"tracelab/tracecontext/grpcmeta"
)

// GRPCServer is a gRPC server with the stock instrumentation, and limits.
type GRPCServer struct {
	*grpc.Server
	known func() map[string]bool // the full names of its methods
}

// NewGRPCServer makes the server; services register themselves on it.
func NewGRPCServer(provider *telemetry.Provider) *GRPCServer {
	recovered := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
		defer func() {
			if p := recover(); p != nil {
				provider.Log.ErrorContext(ctx, "handler panicked", "panic", p, "stack", string(debug.Stack()))
				err = Fail("", Internal, "the service has a bug; its log says more")
			}
		}()
		if answer, err = next(ctx, req); err != nil {
			return nil, AsFailed("", err)
		}
		return answer, nil
	}
	s := &GRPCServer{}
	s.known = sync.OnceValue(s.methods) // at the first call: all services have registered then
	s.Server = grpc.NewServer(
		grpc.StatsHandler(callLabels{labels: provider.Labels}),
		grpc.StatsHandler(grpcmeta.Handler{}), // before otelgrpc, which shows a propagator only the first of doubled values
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(provider.Spans),
			otelgrpc.WithMeterProvider(provider.Meters), otelgrpc.WithPropagators(provider.Propagator),
			// A method that there is not makes no span and no series, as a path that there is not: its name is the caller's,
			// and gRPC never tells the end of such a call, so that its span would stay open for ever.
			otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool { return s.known()[info.FullMethodName] }))),
		grpc.UnaryInterceptor(recovered),
		grpc.MaxRecvMsgSize(MaxBody), grpc.MaxHeaderListSize(MaxBody), grpc.ConnectionTimeout(headerTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
	)
	return s
}

// callLabels puts each call, which has a goroutine to itself, under the labels of its order.
type callLabels struct {
	grpcmeta.Handler // for all that is nothing to do
	labels           telemetry.Labels
}

// TagRPC is called on the call's goroutine.
func (h callLabels) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return h.labels.Order(ctx, metadata.ValueFromIncomingContext(ctx, "baggage")...)
}

// methods lists the methods that the server has, as /package.Service/Method.
func (s *GRPCServer) methods() map[string]bool {
	names := map[string]bool{}
	for service, info := range s.GetServiceInfo() {
		for _, method := range info.Methods {
			names["/"+service+"/"+method.Name] = true
		}
	}
	return names
}

// Serve answers on the listener until Shutdown.
func (s *GRPCServer) Serve(l net.Listener) error {
	if err := s.Server.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("grpc server on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more calls and waits for those that it has; when the context ends, it cuts them off and does not
// wait for one that is deaf to that.
func (s *GRPCServer) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.GracefulStop(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.Stop() // the graceful one goes on until a deaf handler has ended
		return fmt.Errorf("grpc server: calls cut off: %w", context.Cause(ctx))
	}
}

// GRPCClient calls steps over gRPC, one connection for each service, made when it is first needed.
type GRPCClient struct {
	network  Network
	provider *telemetry.Provider
	address  func(service string) (string, error)

	mu    sync.Mutex
	conns map[string]*grpc.ClientConn
}

// NewGRPCClient makes a client that finds services by name.
func NewGRPCClient(network Network, provider *telemetry.Provider, address func(service string) (string, error)) *GRPCClient {
	return &GRPCClient{network: network, provider: provider, address: address, conns: map[string]*grpc.ClientConn{}}
}

// Call asks a service to do what the verb says.
func (c *GRPCClient) Call(ctx context.Context, service, verb string, in, out proto.Message) error {
	conn, err := c.conn(ctx, service)
	if err != nil {
		return err
	}
	pkg := orderpb.File_services_internal_orderpb_order_proto.Package()
	method := fmt.Sprintf("/%s.%s/%s", pkg, capital(service), capital(verb))
	return fromStatus(service, conn.Invoke(ctx, method, in, out))
}

// conn is the service's connection.
func (c *GRPCClient) conn(ctx context.Context, service string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn, ok := c.conns[service]; ok {
		return conn, nil
	}
	address, err := c.address(service)
	if err != nil {
		return nil, err
	}
	var conn *grpc.ClientConn
	c.provider.Labels.Apart(ctx, func() { conn, err = c.dial(address) })
	if err != nil {
		return nil, fmt.Errorf("grpc connection to %s: %w", service, err)
	}
	c.conns[service] = conn
	return conn, nil
}

// dial begins to connect, so that the connection's goroutines start here and not with the first call.
func (c *GRPCClient) dial(address string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return c.network.Dial(ctx, "tcp", a) }),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(c.provider.Spans),
			otelgrpc.WithMeterProvider(c.provider.Meters), otelgrpc.WithPropagators(c.provider.Propagator))),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxBody)), grpc.WithDisableRetry())
	if err == nil {
		conn.Connect()
	}
	return conn, err
}

// Close ends the connections.
func (c *GRPCClient) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, conn := range c.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
