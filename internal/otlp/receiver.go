package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// ReceiverConfig says where a receiver listens and what it does with spans.
type ReceiverConfig struct {
	Address string             // host:port for gRPC; HTTP takes the next port. With port 0 both are any free ones
	Keep    func(batch []byte) // takes the spans of one request, as OTLP protobuf; called by many goroutines
	Logger  *slog.Logger

	// Admit picks the spans to keep: the others are counted and left out as they come. Nil: all.
	Admit func(ptrace.Span) bool
	// MaxBytes is how many bytes of OTLP protobuf are kept over all requests; what would exceed it is refused. 0: DefaultBudget.
	MaxBytes int64
}

// Received counts what came to a receiver.
type Received struct {
	Kept    int64 // spans
	LeftOut int64 // spans that Admit did not pick
	Refused int64 // spans for which the budget had no room; an exporter may have sent them again
	Bytes   int64 // of the kept spans, as OTLP protobuf
}

// Receiver is an OTLP endpoint for spans, gRPC and HTTP (protobuf and JSON).
//
// Anyone who can reach its port can send it anything, so limits.go bounds what one request, one connection and all of them
// together may cost. What it keeps can be decoded, judged and written as JSON later.
type Receiver struct {
	config    ReceiverConfig
	timeouts  timeouts
	grpc      *grpc.Server
	http      *http.Server
	addresses [2]string
	serving   errgroup.Group
	reading   chan struct{} // a slot for each request whose body may be in memory
	decoding  chan struct{} // a slot for each request that is being decoded

	mu       sync.Mutex
	received Received
}

// StartReceiver listens for gRPC and for HTTP.
func StartReceiver(c ReceiverConfig) (*Receiver, error) { return startReceiver(c, defaultTimeouts) }

func startReceiver(c ReceiverConfig, within timeouts) (*Receiver, error) {
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultBudget()
	}
	overGRPC, overHTTP, err := listen(c.Address)
	if err != nil {
		return nil, err
	}
	r := &Receiver{config: c, timeouts: within, addresses: [2]string{overGRPC.Addr().String(), overHTTP.Addr().String()},
		reading: make(chan struct{}, maxReading), decoding: make(chan struct{}, maxDecoding())}
	r.grpc, r.http = r.newGRPCServer(), r.newHTTPServer()
	r.serving.Go(func() error {
		if err := r.grpc.Serve(netutil.LimitListener(overGRPC, maxConnections)); !errors.Is(err, grpc.ErrServerStopped) { // closed before it began
			return err
		}
		return nil
	})
	r.serving.Go(func() error {
		if err := r.http.Serve(netutil.LimitListener(overHTTP, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return r, nil
}

// listen binds an address and the next port.
func listen(address string) (first, second net.Listener, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, fmt.Errorf("otlp receiver: address %q: use host:port, such as 127.0.0.1:4317: %w", address, err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, nil, fmt.Errorf("otlp receiver: port %q is no number: use host:port, such as 127.0.0.1:4317", port)
	}
	if number != 0 {
		number++
	}
	first, err = net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("otlp receiver cannot listen on %s: choose another address with --receive-otlp: %w", address, err)
	}
	second, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(number)))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("otlp receiver cannot listen for http on the port after %s: choose another address with --receive-otlp: %w", address, err), first.Close())
	}
	return first, second, nil
}

// Addresses returns host:port for gRPC and for HTTP.
func (r *Receiver) Addresses() (overGRPC, overHTTP string) { return r.addresses[0], r.addresses[1] }

// Received returns the counts so far.
func (r *Receiver) Received() Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.received
}

// Close finishes the requests under way, for as long as the context lasts.
func (r *Receiver) Close(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() { r.grpc.GracefulStop(); close(stopped) }()
	err := r.http.Shutdown(ctx)
	select {
	case <-stopped:
	case <-ctx.Done():
		r.grpc.Stop()
		<-stopped
	}
	return errors.Join(err, r.serving.Wait())
}
