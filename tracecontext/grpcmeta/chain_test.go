package grpcmeta_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"tracelab/tracecontext"
	"tracelab/tracecontext/grpcmeta"
	"tracelab/tracecontext/internal/w3csuite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// chain is HTTP → gRPC → HTTP over loopback with stock otelhttp and otelgrpc.
type chain struct {
	grpc_health_v1.UnimplementedHealthServer
	p       propagation.TextMapPropagator
	tp      trace.TracerProvider
	client  grpc_health_v1.HealthClient
	entry   *httptest.Server
	exit    *httptest.Server
	calls   *http.Client // with stock otelhttp
	plain   *http.Client
	address string // of the gRPC server

	mu      sync.Mutex
	arrived []http.Header // at the last server
}

func newChain(t *testing.T, p propagation.TextMapPropagator, before ...grpc.ServerOption) *chain {
	t.Helper()
	c := &chain{p: p, tp: sdktrace.NewTracerProvider()}
	c.exit = httptest.NewServer(http.HandlerFunc(c.arrive))
	transport := &http.Transport{}
	c.plain = &http.Client{Transport: transport}
	c.calls = &http.Client{Transport: otelhttp.NewTransport(transport, otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(c.tp))}
	c.client = c.serveGRPC(t, before)
	c.entry = httptest.NewServer(otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("calls"))
		for range n {
			if err == nil {
				_, err = c.client.Check(r.Context(), &grpc_health_v1.HealthCheckRequest{})
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}), "entry", otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(c.tp)))
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		c.entry.Close()
		c.exit.Close()
	})
	return c
}

func (c *chain) serveGRPC(t *testing.T, before []grpc.ServerOption) grpc_health_v1.HealthClient {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = listener.Addr().String()
	server := grpc.NewServer(append(before, grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithPropagators(c.p), otelgrpc.WithTracerProvider(c.tp))))...)
	grpc_health_v1.RegisterHealthServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(c.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithPropagators(c.p), otelgrpc.WithTracerProvider(c.tp))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return grpc_health_v1.NewHealthClient(conn)
}

// Check is the gRPC service: it calls the last HTTP server.
func (c *chain) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.exit.URL, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.calls.Do(req)
	if err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{}, resp.Body.Close()
}

func (c *chain) arrive(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrived = append(c.arrived, r.Header.Clone())
}

// take returns the headers that have arrived at the last server, once.
func (c *chain) take() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	arrived := c.arrived
	c.arrived = nil
	return arrived
}

// send sends a request for n calls into the chain and returns the headers that
// arrive at its end.
func (c *chain) send(headers [][2]string, n int) ([]http.Header, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("%s?calls=%d", c.entry.URL, n), nil)
	if err != nil {
		return nil, err
	}
	for _, kv := range headers {
		req.Header.Add(kv[0], kv[1])
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d, %w", resp.StatusCode, err)
	}
	return c.take(), nil
}

// The tests of the public suite pass over HTTP, gRPC and HTTP.
func TestSuite(t *testing.T) {
	tests, err := w3csuite.Tests()
	if err != nil {
		t.Fatal(err)
	}
	strict, stock := newChain(t, tracecontext.New(), grpc.StatsHandler(grpcmeta.Handler{})), newChain(t, propagation.TraceContext{})
	passed, stockPassed := 0, 0
	for _, test := range tests {
		if err := test.Run(strict.send); err != nil {
			t.Error(err)
		} else {
			passed++
		}
		if test.Run(stock.send) == nil {
			stockPassed++
		}
	}
	t.Logf("%d of %d pass; with the stock propagator %d", passed, len(tests), stockPassed)
}

// Every case of the table arrives over HTTP, gRPC and HTTP.
func TestCasesOverHTTPAndGRPC(t *testing.T) {
	b, err := os.ReadFile("../testdata/tracecontext.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Rule, Traceparent, Tracestate string
		Headers                             [][2]string
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	c := newChain(t, tracecontext.New(), grpc.StatsHandler(grpcmeta.Handler{}))
	for _, w := range cases {
		t.Run(w.Name, func(t *testing.T) {
			arrived, err := c.send(w.Headers, 1)
			if err != nil {
				t.Fatal(err)
			}
			got := parentOf(t, arrived)
			if w.Traceparent == "" {
				for _, h := range w.Headers {
					if len(h[1]) > 35 && h[1][3:35] == got.TraceID().String() {
						t.Errorf("trace %s goes on, want a new one: %s", got.TraceID(), w.Rule)
					}
				}
			} else if got.TraceID().String() != w.Traceparent[3:35] || got.SpanID().String() == w.Traceparent[36:52] {
				t.Errorf("got %s-%s, want trace %s and another span: %s", got.TraceID(), got.SpanID(), w.Traceparent[3:35], w.Rule)
			}
			if state := strings.Join(arrived[0].Values("tracestate"), ","); state != w.Tracestate {
				t.Errorf("tracestate %q, want %q: %s", state, w.Tracestate, w.Rule)
			}
		})
	}
}

// parentOf returns the one span context that has arrived.
func parentOf(t *testing.T, arrived []http.Header) trace.SpanContext {
	t.Helper()
	if len(arrived) != 1 || len(arrived[0].Values("traceparent")) != 1 {
		t.Fatalf("%v arrived, want one request with one traceparent", arrived)
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(t.Context(), propagation.HeaderCarrier(arrived[0])))
}

func TestBaggageOverHTTPAndGRPC(t *testing.T) {
	c := newChain(t, tracecontext.New(), grpc.StatsHandler(grpcmeta.Handler{}))
	arrived, err := c.send([][2]string{{"baggage", "a=1;p=2, b=%C3%A4"}, {"baggage", "c=3"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := arrived[0].Get("baggage"), "a=1;p=2, b=%C3%A4,c=3"; got != want {
		t.Errorf("baggage %q arrived, want %q", got, want)
	}
}

// What stock otelgrpc makes of doubled metadata, and what Handler changes.
func TestDoubledMetadata(t *testing.T) {
	const first = "00-11111111111111111111111111111111-1111111111111111-01"
	const second = "00-22222222222222222222222222222222-2222222222222222-01"
	doubled := metadata.Pairs("traceparent", first, "traceparent", second, "tracestate", "a=1", "tracestate", "b=2", "baggage", "c=3", "baggage", "d=4")
	split := metadata.Pairs("traceparent", first, "tracestate", "a=1", "tracestate", "b=2", "baggage", "c=3", "baggage", "d=4")
	for _, c := range []struct {
		name           string
		before         []grpc.ServerOption
		md             metadata.MD
		trace          string // none: a new one
		state, baggage string
		refused        uint64
	}{
		{"without, doubled", nil, doubled, first[3:35], "a=1", "c=3", 0},
		{"without, split", nil, split, first[3:35], "a=1", "c=3", 0},
		{"with, doubled", []grpc.ServerOption{grpc.StatsHandler(grpcmeta.Handler{})}, doubled, "", "", "c=3,d=4", 1},
		{"with, split", []grpc.ServerOption{grpc.StatsHandler(grpcmeta.Handler{})}, split, first[3:35], "a=1,b=2", "c=3,d=4", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := tracecontext.New()
			chain := newChain(t, p, c.before...)
			chain.callRaw(t, c.md)
			arrived := chain.take()
			got := parentOf(t, arrived)
			if c.trace != "" && got.TraceID().String() != c.trace {
				t.Errorf("trace %s, want %s", got.TraceID(), c.trace)
			}
			if c.trace == "" && (got.TraceID().String() == first[3:35] || got.TraceID().String() == second[3:35]) {
				t.Errorf("trace %s goes on, want a new one", got.TraceID())
			}
			if got.TraceState().String() != c.state || arrived[0].Get("baggage") != c.baggage {
				t.Errorf("tracestate %q and baggage %q, want %q and %q", got.TraceState(), arrived[0].Get("baggage"), c.state, c.baggage)
			}
			if n := p.Refusals().Count(tracecontext.TraceparentDoubled); n != c.refused {
				t.Errorf("%d doubled traceparents counted, want %d", n, c.refused)
			}
		})
	}
}

// callRaw calls the gRPC server with a client that has no instrumentation.
func (c *chain) callRaw(t *testing.T, md metadata.MD) {
	t.Helper()
	conn, err := grpc.NewClient(c.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.NewOutgoingContext(t.Context(), md)
	if _, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
