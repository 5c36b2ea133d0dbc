//go:build browser

package browsertest

import (
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"
)

// proxy is a way to the program's page that can be cut.
type proxy struct {
	server *http.Server
	ended  chan struct{}
}

// proxy opens a way to the page at an address; it is cut behind the test.
func (p *program) proxy(t *testing.T, address string) *proxy {
	t.Helper()
	target, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) }, // the page gets its own host, as it wants
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {},  // a tab that is closed is no error
	}
	x := &proxy{&http.Server{Handler: forward}, make(chan struct{})}
	go func() {
		defer close(x.ended)
		if err := x.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error("proxy:", err)
		}
	}()
	t.Cleanup(x.cut)
	return x
}

// cut ends the way and all that goes over it.
func (x *proxy) cut() {
	_ = x.server.Close() // the test sees whether it is cut
	<-x.ended
}
