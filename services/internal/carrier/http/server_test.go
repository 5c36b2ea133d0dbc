package http

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// serve runs a server with routes while f uses a client of it.
func serve(b *carriertest.Bubble, routes func(s *Server), f func(c *Client)) {
	b.Helper()
	server := NewServer(b.Provider)
	routes(server)
	listener := b.Listen("127.0.0.1:80")
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener, 10) }()
	client := NewClient(b.Dial, b.Provider, func(string) (string, error) { return "127.0.0.1:80", nil }, false)
	f(client)
	client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.Must(server.Shutdown(ctx))
	b.Must(<-ended)
}

// TestAPanicIsAnswered inside its span, once, and the server goes on.
func TestAPanicIsAnswered(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		var asked atomic.Int64
		serve(b, func(s *Server) {
			s.Traced("POST /charge", Call(func(context.Context, *orderpb.Order) (*orderpb.Receipt, error) {
				if asked.Add(1) == 1 {
					panic("bug")
				}
				return &orderpb.Receipt{Steps: []string{"payment.Charge"}}, nil
			}))
			s.Plain("GET /ask", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("another") }))
		}, func(c *Client) {
			err := c.Call(b.Context(), "payment", "Charge", &orderpb.Order{Id: "a"}, &orderpb.Receipt{})
			if failed, ok := errors.AsType[*carrier.Failed](err); !ok || failed.Reason() != carrier.Internal || asked.Load() != 1 {
				t.Errorf("a panic: %v after %d requests, want %s after one", err, asked.Load(), carrier.Internal)
			}
			if answer, err := c.Get(b.Context(), "payment", "/ask", 1000); err != nil || answer.Status != 500 {
				t.Errorf("a panic without a span: %v, %v, want 500", answer, err)
			}
			receipt := &orderpb.Receipt{}
			if err := c.Call(b.Context(), "payment", "charge", &orderpb.Order{Id: "a"}, receipt); err != nil || len(receipt.GetSteps()) != 1 {
				t.Errorf("after the panics: %v, %v", receipt, err)
			}
		})
		server := b.Named("POST /charge")
		if len(server) == 0 || server[0].Status().Code != codes.Error || carriertest.Attribute(server[0], "http.response.status_code") != "500" {
			t.Errorf("the SERVER span of the panic: %v", server)
		}
		if n := len(b.Log.Lines("handler panicked")); n != 2 {
			t.Errorf("%d lines about panics, want 2", n)
		}
	})
}

// TestCallsThatNobodyAnswers become failures that say why.
func TestCallsThatNobodyAnswers(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		serve(b, func(s *Server) {
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
		}, func(c *Client) {
			call := func(ctx context.Context, verb string) string {
				return carrier.AsFailed("", c.Call(ctx, "payment", verb, &orderpb.Order{}, &orderpb.Receipt{})).Reason()
			}
			soon, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			if reason := call(soon, "slow"); reason != carrier.Timeout {
				t.Errorf("a deadline: %s, want %s", reason, carrier.Timeout)
			}
			leaving, leave := context.WithCancel(b.Context())
			time.AfterFunc(time.Second, leave)
			if reason := call(leaving, "slow"); reason != carrier.Cancelled {
				t.Errorf("a caller that leaves: %s, want %s", reason, carrier.Cancelled)
			}
			for verb, want := range map[string]string{"cut": carrier.Unavailable, "html": carrier.Internal, "nowhere": carrier.Internal} {
				if reason := call(b.Context(), verb); reason != want {
					t.Errorf("%s: %s, want %s", verb, reason, want)
				}
			}
		})
		nobody := NewClient(b.Dial, b.Provider, func(string) (string, error) { return "127.0.0.1:81", nil }, false)
		if err := nobody.Call(b.Context(), "payment", "charge", &orderpb.Order{}, &orderpb.Receipt{}); carrier.AsFailed("", err).Reason() != carrier.Unreachable || !strings.Contains(err.Error(), "payment") {
			t.Errorf("nobody there: %v, want %s and the service's name", err, carrier.Unreachable)
		}
	})
}

// TestAnAnswerWithoutAnEndIsGivenUp at its limit, and so is one to a call.
func TestAnAnswerWithoutAnEndIsGivenUp(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		})
		serve(b, func(s *Server) {
			s.Plain("GET /readyz", endless)
			s.Plain("POST /charge", endless)
		}, func(c *Client) {
			if answer, err := c.Get(b.Context(), "payment", "/readyz", 64<<10); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
				t.Errorf("%v, %v, want an error that says how much was read", answer, err)
			}
			if err := c.Call(b.Context(), "payment", "charge", &orderpb.Order{}, &orderpb.Receipt{}); err == nil || !strings.Contains(err.Error(), "more than") {
				t.Errorf("a call: %v, want an error that says how much was read", err)
			}
		})
	})
}

// TestTooManyConnectionsAreRefused with an answer, those that send nothing end by themselves, and then there is room.
func TestTooManyConnectionsAreRefused(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		serve(b, func(s *Server) {
			s.Plain("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, http.StatusOK, "alive") }))
		}, func(c *Client) {
			var slow []net.Conn
			for range 10 { // as many as serve allows
				conn, err := b.Dial(b.Context(), "tcp", "127.0.0.1:80")
				b.Must(err)
				_, err = conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "))
				b.Must(err)
				slow = append(slow, conn)
			}
			answer, err := c.Get(b.Context(), "payment", "/healthz", 1000)
			if err != nil || answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%v, %v, want 503 and a problem document", answer, err)
			}
			var p Problem
			if err := json.Unmarshal(answer.Body, &p); err != nil || p.Type != "/problems/full" || p.Status != http.StatusServiceUnavailable {
				t.Errorf("%q: %v, want a problem document", answer.Body, err)
			}
			time.Sleep(carrier.HeaderTimeout + time.Second)
			if answer, err := c.Get(b.Context(), "payment", "/healthz", 1000); err != nil || answer.Status != http.StatusOK {
				t.Errorf("when the slow ones have run out of time: %v, %v, want 200", answer, err)
			}
			for _, conn := range slow {
				_ = conn.Close()
			}
		})
	})
}
