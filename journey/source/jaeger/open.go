package jaeger

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tracelab/journey/source"
	"tracelab/journey/source/redial"
)

// Store is a Jaeger. Close it after use.
type Store interface {
	source.Store
	// SearchOTLP is Search with the answer as OTLP.
	SearchOTLP(ctx context.Context, q source.Query) (OTLP, error)
	io.Closer
}

// Option changes how a Jaeger is asked.
type Option func(*options)

type options struct {
	client  *http.Client
	conn    grpc.ClientConnInterface
	timeout time.Duration
	limit   int
}

// DefaultTimeout is how long one question may take without WithTimeout.
const DefaultTimeout = 30 * time.Second

// WithHTTPClient sets the client for HTTP, which may add credentials. The default is http.DefaultClient.
func WithHTTPClient(client *http.Client) Option {
	return func(o *options) {
		if client != nil {
			o.client = client
		}
	}
}

// WithGRPCConn sets the connection for gRPC, which may have TLS and credentials. The caller closes it. By default Open makes
// one without TLS.
func WithGRPCConn(conn grpc.ClientConnInterface) Option { return func(o *options) { o.conn = conn } }

// WithTimeout sets how long one question with its answer may take. The default is DefaultTimeout.
func WithTimeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// WithLimit sets how many bytes an answer may have. The default is source.DefaultLimit.
func WithLimit(bytes int) Option { return func(o *options) { o.limit = bytes } }

// Open returns the Jaeger at an address: the URL of its query service for api/v3 over HTTP, or grpc://HOST:PORT for gRPC.
// Nothing is sent before the first question.
func Open(address string, opts ...Option) (Store, error) {
	o := options{client: http.DefaultClient, timeout: DefaultTimeout, limit: source.DefaultLimit}
	for _, option := range opts {
		option(&o)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of Jaeger: want a URL, such as %s or grpc://127.0.0.1:16685: %w", DefaultBase, err)
	}
	switch {
	case u.Host == "":
		return nil, fmt.Errorf("address of Jaeger %q: want a URL, such as %s or grpc://127.0.0.1:16685", address, DefaultBase)
	case u.Scheme == "http", u.Scheme == "https":
		return overHTTP{options: o, base: address}, nil
	case u.Scheme == "grpc" && o.conn != nil:
		return overGRPC{options: o, conn: o.conn}, nil
	case u.Scheme == "grpc":
		conn, err := grpc.NewClient(u.Host, grpc.WithTransportCredentials(insecure.NewCredentials()), redial.Option())
		if err != nil {
			return nil, fmt.Errorf("address of Jaeger %q: %w", address, err)
		}
		return overGRPC{options: o, conn: conn, owned: conn}, nil
	}
	return nil, fmt.Errorf("address of Jaeger %q: want http, https or grpc, not %q", address, u.Scheme)
}
