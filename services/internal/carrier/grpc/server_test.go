package grpc

import (
	"context"
	"errors"
	"testing"
	"time"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// panicking is a method with a bug.
func panicking(_ context.Context, e *orderpb.Event) (*orderpb.Receipt, error) {
	switch e.GetOrder().GetId() {
	case "panic":
		panic("bug")
	case "hang":
		time.Sleep(time.Minute)
	}
	return &orderpb.Receipt{Steps: []string{"inventory.Reserve"}}, nil
}

// event is one of an order.
func event(id string) *orderpb.Event { return &orderpb.Event{Order: &orderpb.Order{Id: id}} }

// serve runs a server while f uses it and a client of it; f shuts the server down.
func serve(b *carriertest.Bubble, f func(s *Server, c *Client)) {
	b.Helper()
	server := NewServer(b.Provider)
	server.Handle("tracelab.order.v1.Inventory", map[string]Method{"Reserve": panicking})
	listener := b.Listen("127.0.0.1:90")
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener, 10) }()
	client := NewClient(b.Dial, b.Provider, func(string) (string, error) { return "127.0.0.1:90", nil }, func(string) string { return "tracelab.order.v1.Inventory" }, false)
	f(server, client)
	b.Must(client.Close())
	b.Must(<-ended)
}

func TestAPanicOverGRPC(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		serve(b, func(s *Server, c *Client) {
			err := c.Call(b.Context(), "inventory", "Reserve", event("panic"), &orderpb.Receipt{})
			if carrier.AsFailed("", err).Reason() != carrier.Internal || len(b.Log.Lines("handler panicked")) != 1 {
				t.Errorf("a panic: %v, %d lines in the log, want %s and one", err, len(b.Log.Lines("handler panicked")), carrier.Internal)
			}
			receipt := &orderpb.Receipt{}
			if err := c.Call(b.Context(), "inventory", "Reserve", event("a"), receipt); err != nil || len(receipt.GetSteps()) != 1 {
				t.Errorf("after the panic: %v, %v", receipt, err)
			}
			if err := c.Call(b.Context(), "inventory", "Bake", event(""), &orderpb.Receipt{}); carrier.AsFailed("", err).Reason() != carrier.Internal {
				t.Errorf("a method that is none: %v, want %s", err, carrier.Internal)
			}
			b.Must(s.Shutdown(b.Context()))
		})
	})
}

// TestGRPCShutdownDoesNotWaitForTheDeaf longer than it may.
func TestGRPCShutdownDoesNotWaitForTheDeaf(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		serve(b, func(s *Server, c *Client) {
			answered := make(chan error, 1)
			go func() {
				answered <- c.Call(b.Context(), "inventory", "Reserve", event("hang"), &orderpb.Receipt{})
			}()
			time.Sleep(time.Second)
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			begin := time.Now()
			if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
				t.Errorf("Shutdown: %v after %v, want the deadline's error after 1s", err, time.Since(begin))
			}
			if err := <-answered; carrier.AsFailed("", err).Reason() != carrier.Unavailable {
				t.Errorf("the call that was cut off: %v, want %s", err, carrier.Unavailable)
			}
			time.Sleep(time.Minute)
		})
	})
}

// TestAClosedClientCallsNobody: what a service that has ended still tries makes no connection that nobody would close.
func TestAClosedClientCallsNobody(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) { // which finds the goroutines of a connection
		client := NewClient(b.Dial, b.Provider, func(string) (string, error) { return "127.0.0.1:90", nil }, func(string) string { return "x" }, false)
		b.Must(client.Close())
		if err := client.Call(b.Context(), "inventory", "Reserve", event("a"), &orderpb.Receipt{}); carrier.AsFailed("", err).Reason() != carrier.Unreachable {
			t.Errorf("a call after the end: %v, want %s", err, carrier.Unreachable)
		}
	})
}
