package grpcmeta_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
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
	calls   *http.Client
	address string      // of the gRPC server
	arrived http.Header // at the last server
}

func newChain(t *testing.T, p propagation.TextMapPropagator, before ...grpc.ServerOption) *chain {
	t.Helper()
	c := &chain{p: p, tp: sdktrace.NewTracerProvider()}
	c.exit = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.arrived = r.Header.Clone() }))
	transport := &http.Transport{}
	c.calls = &http.Client{Transport: otelhttp.NewTransport(transport, otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(c.tp))}
	c.client = c.serveGRPC(t, before)
	c.entry = httptest.NewServer(otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := c.client.Check(r.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}), "entry", otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(c.tp)))
	t.Cleanup(func() {
		c.entry.Close()
		c.exit.Close()
		transport.CloseIdleConnections()
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

// get sends headers into the chain and returns the span context at its end.
func (c *chain) get(t *testing.T, headers [][2]string) trace.SpanContext {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.entry.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range headers {
		req.Header.Add(kv[0], kv[1])
	}
	return c.do(t, req)
}

func (c *chain) do(t *testing.T, req *http.Request) trace.SpanContext {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return c.last(t)
}

func (c *chain) last(t *testing.T) trace.SpanContext {
	t.Helper()
	if n := len(c.arrived.Values("traceparent")); n != 1 {
		t.Fatalf("%d traceparent headers arrived, want 1", n)
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(t.Context(), propagation.HeaderCarrier(c.arrived)))
}

func TestW3COverHTTPAndGRPC(t *testing.T) {
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
			got := c.get(t, w.Headers)
			if w.Traceparent == "" {
				for _, h := range w.Headers {
					if len(h[1]) > 35 && h[1][3:35] == got.TraceID().String() {
						t.Errorf("trace %s goes on, want a new one: %s", got.TraceID(), w.Rule)
					}
				}
			} else if got.TraceID().String() != w.Traceparent[3:35] || got.SpanID().String() == w.Traceparent[36:52] {
				t.Errorf("got %s-%s, want trace %s and another span: %s", got.TraceID(), got.SpanID(), w.Traceparent[3:35], w.Rule)
			}
			if state := got.TraceState().String(); state != w.Tracestate {
				t.Errorf("tracestate %q, want %q: %s", state, w.Tracestate, w.Rule)
			}
		})
	}
}

func TestBaggageOverHTTPAndGRPC(t *testing.T) {
	c := newChain(t, tracecontext.New(), grpc.StatsHandler(grpcmeta.Handler{}))
	c.get(t, [][2]string{{"baggage", "a=1;p=2, b=%C3%A4"}, {"baggage", "c=3"}})
	if got, want := c.arrived.Get("baggage"), "a=1;p=2, b=%C3%A4,c=3"; got != want {
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
			got := chain.last(t)
			if c.trace != "" && got.TraceID().String() != c.trace {
				t.Errorf("trace %s, want %s", got.TraceID(), c.trace)
			}
			if c.trace == "" && (got.TraceID().String() == first[3:35] || got.TraceID().String() == second[3:35]) {
				t.Errorf("trace %s goes on, want a new one", got.TraceID())
			}
			if got.TraceState().String() != c.state || chain.arrived.Get("baggage") != c.baggage {
				t.Errorf("tracestate %q and baggage %q, want %q and %q", got.TraceState(), chain.arrived.Get("baggage"), c.state, c.baggage)
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
