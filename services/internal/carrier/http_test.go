package carrier

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	"tracelab/services/internal/orderpb"
)

// serveHTTP runs a server with routes while f uses a client of it.
func (b *bubble) serveHTTP(routes func(s *HTTPServer), f func(c *HTTPClient)) {
	b.Helper()
	server := NewHTTPServer(b.provider)
	routes(server)
	listener, err := b.network.Bind("test", "127.0.0.1:80")
	b.must(err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	client := NewHTTPClient(b.network, b.provider, func(string) (string, error) { return "127.0.0.1:80", nil })
	f(client)
	client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.must(server.Shutdown(ctx))
	b.must(<-ended)
}

// TestAPanicIsAnswered inside its span, once, and the server goes on.
func TestAPanicIsAnswered(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var asked atomic.Int64
		b.serveHTTP(func(s *HTTPServer) {
			s.Traced("POST /charge", Call(func(context.Context, *orderpb.Order) (*orderpb.Receipt, error) {
				if asked.Add(1) == 1 {
					panic("bug")
				}
				return &orderpb.Receipt{Steps: []string{"payment.Charge"}}, nil
			}))
			s.Plain("GET /ask", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("another") }))
		}, func(c *HTTPClient) {
			err := c.Call(b.Context(), "payment", "Charge", &orderpb.Order{Id: "a"}, &orderpb.Receipt{})
			if failed, ok := errors.AsType[*Failed](err); !ok || failed.Reason() != Internal || asked.Load() != 1 {
				t.Errorf("a panic: %v after %d requests, want %s after one", err, asked.Load(), Internal)
			}
			if status, _, _, err := c.Get(b.Context(), "payment", "/ask"); err != nil || status != 500 {
				t.Errorf("a panic without a span: %d, %v, want 500", status, err)
			}
			receipt := &orderpb.Receipt{}
			if err := c.Call(b.Context(), "payment", "charge", &orderpb.Order{Id: "a"}, receipt); err != nil || len(receipt.GetSteps()) != 1 {
				t.Errorf("after the panics: %v, %v", receipt, err)
			}
		})
		server := b.named("POST /charge")
		if len(server) == 0 || server[0].Status().Code != codes.Error || attributeOf(server[0], "http.response.status_code") != "500" {
			t.Errorf("the SERVER span of the panic: %v", server)
		}
		if n := len(b.log.lines("handler panicked")); n != 2 {
			t.Errorf("%d lines about panics, want 2", n)
		}
	})
}

// TestCallsThatNobodyAnswers become failures that say why.
func TestCallsThatNobodyAnswers(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.serveHTTP(func(s *HTTPServer) {
			s.Plain("POST /slow", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // net/http looks after a client only behind its body
				<-r.Context().Done()
			}))
			s.Plain("POST /cut", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err == nil {
					_ = conn.Close()
				}
			}))
			s.Plain("POST /html", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
		}, func(c *HTTPClient) {
			call := func(ctx context.Context, verb string) string {
				return AsFailed("", c.Call(ctx, "payment", verb, &orderpb.Order{}, &orderpb.Receipt{})).Reason()
			}
			soon, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			if reason := call(soon, "slow"); reason != Timeout {
				t.Errorf("a deadline: %s, want %s", reason, Timeout)
			}
			leaving, leave := context.WithCancel(b.Context())
			time.AfterFunc(time.Second, leave)
			if reason := call(leaving, "slow"); reason != Cancelled {
				t.Errorf("a caller that leaves: %s, want %s", reason, Cancelled)
			}
			for verb, want := range map[string]string{"cut": Unavailable, "html": Internal, "nowhere": Internal} {
				if reason := call(b.Context(), verb); reason != want {
					t.Errorf("%s: %s, want %s", verb, reason, want)
				}
			}
		})
		nobody := NewHTTPClient(b.network, b.provider, func(string) (string, error) { return "127.0.0.1:81", nil })
		if err := nobody.Call(b.Context(), "payment", "charge", &orderpb.Order{}, &orderpb.Receipt{}); AsFailed("", err).Reason() != Unavailable || !strings.Contains(err.Error(), "payment") {
			t.Errorf("nobody there: %v, want %s and the service's name", err, Unavailable)
		}
	})
}

// panicking is an inventory with a bug.
type panicking struct {
	orderpb.UnimplementedInventoryServer
}

// Reserve has it.
func (panicking) Reserve(_ context.Context, o *orderpb.Order) (*orderpb.Receipt, error) {
	switch o.GetId() {
	case "panic":
		panic("bug")
	case "hang":
		time.Sleep(time.Minute)
	}
	return &orderpb.Receipt{Steps: []string{"inventory.Reserve"}}, nil
}

// serveGRPC runs a server while f uses it and a client of it; f shuts the server down.
func (b *bubble) serveGRPC(f func(s *GRPCServer, c *GRPCClient)) {
	b.Helper()
	server := NewGRPCServer(b.provider)
	orderpb.RegisterInventoryServer(server, panicking{})
	listener, err := b.network.Bind("test", "127.0.0.1:90")
	b.must(err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	client := NewGRPCClient(b.network, b.provider, func(string) (string, error) { return "127.0.0.1:90", nil })
	f(server, client)
	b.must(client.Close())
	b.must(<-ended)
}

func TestAPanicOverGRPC(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.serveGRPC(func(s *GRPCServer, c *GRPCClient) {
			err := c.Call(b.Context(), "inventory", "reserve", &orderpb.Order{Id: "panic"}, &orderpb.Receipt{})
			if AsFailed("", err).Reason() != Internal || len(b.log.lines("handler panicked")) != 1 {
				t.Errorf("a panic: %v, %d lines in the log, want %s and one", err, len(b.log.lines("handler panicked")), Internal)
			}
			receipt := &orderpb.Receipt{}
			if err := c.Call(b.Context(), "inventory", "reserve", &orderpb.Order{Id: "a"}, receipt); err != nil || len(receipt.GetSteps()) != 1 {
				t.Errorf("after the panic: %v, %v", receipt, err)
			}
			if err := c.Call(b.Context(), "inventory", "bake", &orderpb.Order{}, &orderpb.Receipt{}); AsFailed("", err).Reason() != Internal {
				t.Errorf("a method that is none: %v, want %s", err, Internal)
			}
			b.must(s.Shutdown(b.Context()))
		})
	})
}

// TestGRPCShutdownDoesNotWaitForTheDeaf longer than it may.
func TestGRPCShutdownDoesNotWaitForTheDeaf(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.serveGRPC(func(s *GRPCServer, c *GRPCClient) {
			answered := make(chan error, 1)
			go func() {
				answered <- c.Call(b.Context(), "inventory", "reserve", &orderpb.Order{Id: "hang"}, &orderpb.Receipt{})
			}()
			time.Sleep(time.Second)
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			begin := time.Now()
			if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
				t.Errorf("Shutdown: %v after %v, want the deadline's error after 1s", err, time.Since(begin))
			}
			if err := <-answered; AsFailed("", err).Reason() != Unavailable {
				t.Errorf("the call that was cut off: %v, want %s", err, Unavailable)
			}
			time.Sleep(time.Minute)
		})
	})
}

func TestBindSaysWhatIsInTheWay(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, err = TCP().Bind("orders", taken.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "orders cannot listen on "+taken.Addr().String()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v, want who, where and why", err)
	}
	if _, err := TCP().Bind("orders", "127.0.0.1:none"); err == nil || !strings.Contains(err.Error(), "orders cannot listen") {
		t.Errorf("%v, want who and where", err)
	}
}
