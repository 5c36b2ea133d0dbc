package jaeger

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tracelab/journey/source"
)

// Store is a Jaeger that is to be closed after use.
type Store interface {
	source.Store
	io.Closer
}

// Options are how a Jaeger is asked. The zero value is of use.
type Options struct {
	Client  *http.Client  // for HTTP; it may bring credentials; nil means http.DefaultClient
	Timeout time.Duration // of one question with its answer; 0 means DefaultTimeout
	Keep    Keep          // of what searches find; nil means nobody wants it
}

// Open returns the Jaeger at an address: the URL of its query service for api/v3 over HTTP, or grpc://HOST:PORT for gRPC
// without TLS. Nothing is sent before the first question. The client is for HTTP, and may bring credentials; nil means
// http.DefaultClient. For gRPC with TLS or credentials make a GRPC of a connection that has them.
func Open(address string, client *http.Client) (Store, error) {
	return OpenWith(address, Options{Client: client})
}

// OpenWith is Open with options.
func OpenWith(address string, o Options) (Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of Jaeger: want a URL, such as %s or grpc://127.0.0.1:16685: %w", DefaultBase, err)
	}
	switch {
	case u.Host == "":
		return nil, fmt.Errorf("address of Jaeger %q: want a URL, such as %s or grpc://127.0.0.1:16685", address, DefaultBase)
	case u.Scheme == "http", u.Scheme == "https":
		return HTTP{Base: address, Client: o.Client, Timeout: o.Timeout, Keep: o.Keep}, nil
	case u.Scheme == "grpc":
		conn, err := grpc.NewClient(u.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, fmt.Errorf("address of Jaeger %q: %w", address, err)
		}
		return connected{GRPC{Conn: conn, Timeout: o.Timeout, Keep: o.Keep}, conn}, nil
	}
	return nil, fmt.Errorf("address of Jaeger %q: want http, https or grpc, not %q", address, u.Scheme)
}

// connected owns its connection.
type connected struct {
	GRPC
	io.Closer
}
