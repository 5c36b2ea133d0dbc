package grpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// Reconnect makes a client reach a service within a second after it is back. gRPC's own backoff grows to two minutes.
func Reconnect() backoff.Config {
	return backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 700 * time.Millisecond}
}

const connectTimeout = 2 * time.Second // for one attempt

// Client calls steps over gRPC, one connection for each address of a service, made when it is first needed.
type Client struct {
	dialer   carrier.Dial
	provider *telemetry.Provider
	address  func(service string) (string, error)
	name     func(service string) string // in full: tracelab.order.v1.Orders
	retries  bool                        // calls may be attempts

	mu    sync.Mutex
	conns map[string]*grpc.ClientConn // by address; nil once the client is closed
}

// NewClient makes a client that finds services by name, and calls them by their full name in gRPC. With retries the span of each attempt is
// marked as one.
func NewClient(dialer carrier.Dial, provider *telemetry.Provider, address func(service string) (string, error), name func(service string) string, retries bool) *Client {
	return &Client{dialer: dialer, provider: provider, address: address, name: name, retries: retries, conns: map[string]*grpc.ClientConn{}}
}

// Call asks a service to do what the verb says.
func (c *Client) Call(ctx context.Context, service, verb string, in, out proto.Message) error {
	conn, err := c.conn(ctx, service)
	if err != nil {
		return err
	}
	var at peer.Peer // stays empty when no connection was there to send the call on
	err = conn.Invoke(ctx, "/"+c.name(service)+"/"+verb, in, out, grpc.Peer(&at))
	if status.Code(err) == codes.Unavailable && at.Addr == nil {
		return carrier.Fail("", carrier.Unreachable, fmt.Sprintf("%s cannot be reached: %s", service, status.Convert(err).Message()))
	}
	return fromStatus(service, err)
}

// conn returns a connection to the service. It makes it when it is first needed.
func (c *Client) conn(ctx context.Context, service string) (*grpc.ClientConn, error) {
	address, err := c.address(service)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns == nil { // goroutines of a service that was killed still run
		return nil, carrier.Fail("", carrier.Unreachable, "no call of "+service+": the caller has ended")
	}
	if conn, ok := c.conns[address]; ok {
		return conn, nil
	}
	var conn *grpc.ClientConn
	c.provider.Labels.Apart(ctx, func() { conn, err = c.dial(address) })
	if err != nil {
		return nil, fmt.Errorf("grpc connection to %s: %w", service, err)
	}
	c.conns[address] = conn
	return conn, nil
}

// fromStatus reads a failure back from a gRPC answer, or makes one of a status that no service of ours gave.
func fromStatus(service string, err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	var failed *carrier.Failed
	var after time.Duration
	for _, detail := range s.Details() {
		switch detail := detail.(type) {
		case *orderpb.Failures:
			if len(detail.GetFailures()) > 0 {
				failed = &carrier.Failed{Failures: detail.GetFailures(), OrderID: detail.GetOrderId()}
			}
		case *errdetails.RetryInfo:
			after = max(0, detail.GetRetryDelay().AsDuration())
		}
	}
	if failed != nil {
		failed.RetryAfter = after
		return failed
	}
	reason := carrier.Internal
	switch s.Code() {
	case codes.DeadlineExceeded:
		reason = carrier.Timeout
	case codes.Canceled:
		reason = carrier.Cancelled
	case codes.Unavailable:
		reason = carrier.Unavailable
	case codes.ResourceExhausted:
		reason = carrier.TooLarge
	case codes.InvalidArgument:
		reason = carrier.BadRequest
	}
	return carrier.Fail("", reason, fmt.Sprintf("%s answered %s: %s", service, s.Code(), s.Message()))
}

// dial begins to connect at once, so that the connection's goroutines do not start in a call, with the labels of its order.
func (c *Client) dial(address string) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: Reconnect(), MinConnectTimeout: connectTimeout}),
		grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return c.dialer(ctx, "tcp", a) }),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(c.provider.Spans),
			otelgrpc.WithMeterProvider(c.provider.Meters), otelgrpc.WithPropagators(c.provider.Propagator))),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(carrier.MaxBody)), grpc.WithDisableRetry()}
	if carrier.Doubles(c.provider.Propagator) { // before written, which records what is sent
		options = append(options, grpc.WithStatsHandler(doubled{propagator: c.provider.Propagator}))
	}
	if c.provider.Headers.On() { // each handler costs each call some time
		options = append(options, grpc.WithStatsHandler(written{headers: c.provider.Headers}))
	}
	if c.retries {
		options = append(options, grpc.WithStatsHandler(attempted{}))
	}
	conn, err := grpc.NewClient("passthrough:///"+address, options...)
	if err == nil {
		conn.Connect()
	}
	return conn, err
}

// Close ends the connections. Whoever calls then gets an error.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, conn := range c.conns {
		errs = append(errs, conn.Close())
	}
	c.conns = nil
	return errors.Join(errs...)
}
