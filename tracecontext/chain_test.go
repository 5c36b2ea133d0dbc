package tracecontext_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/tracecontext"
	"tracelab/tracecontext/internal/w3csuite"
)

// chain is a service behind stock otelhttp that makes n calls for a request,
// over HTTP or over Kafka and HTTP, to a last server on loopback.
type chain struct {
	p      propagation.TextMapPropagator
	client *http.Client // with stock otelhttp
	plain  *http.Client
	kafka  *kgo.Client // nil: HTTP → HTTP
	entry  *httptest.Server
	exit   *httptest.Server

	mu      sync.Mutex
	arrived []http.Header // at the last server
}

func newChain(t *testing.T, p propagation.TextMapPropagator, kafka *kgo.Client) *chain {
	t.Helper()
	tp, transport := sdktrace.NewTracerProvider(), &http.Transport{}
	c := &chain{p: p, kafka: kafka, plain: &http.Client{Transport: transport}}
	c.client = &http.Client{Transport: otelhttp.NewTransport(transport, otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(tp))}
	c.exit = httptest.NewServer(http.HandlerFunc(c.arrive))
	c.entry = httptest.NewServer(otelhttp.NewHandler(http.HandlerFunc(c.serve), "entry", otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(tp)))
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		c.entry.Close()
		c.exit.Close()
	})
	return c
}

func newBroker(t *testing.T) *kgo.Client {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	check(t, err)
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ProducerLinger(0), kgo.ConsumeTopics("orders"))
	check(t, err)
	t.Cleanup(client.Close)
	return client
}

func (c *chain) arrive(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrived = append(c.arrived, r.Header.Clone())
}

// serve makes as many calls as the query says.
func (c *chain) serve(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("calls"))
	for range n {
		if err == nil {
			err = c.call(r.Context())
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (c *chain) call(ctx context.Context) error {
	if c.kafka == nil {
		return get(ctx, c.client, c.exit.URL, nil)
	}
	var h headers
	c.p.Inject(ctx, &h)
	return c.kafka.ProduceSync(ctx, &kgo.Record{Topic: "orders", Headers: h}).FirstErr()
}

// forward makes a call for each of n records.
func (c *chain) forward(ctx context.Context, n int) error {
	for n > 0 {
		fetches := c.kafka.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, r := range fetches.Records() {
			h := headers(r.Headers)
			if err := get(c.p.Extract(ctx, &h), c.client, c.exit.URL, nil); err != nil {
				return err
			}
			n--
		}
	}
	return nil
}

// send sends a request for n calls and returns the headers of each.
func (c *chain) send(headers [][2]string, n int) ([]http.Header, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := get(ctx, c.plain, fmt.Sprintf("%s?calls=%d", c.entry.URL, n), headers); err != nil {
		return nil, err
	}
	if c.kafka != nil {
		if err := c.forward(ctx, n); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	arrived := c.arrived
	c.arrived = nil
	return arrived, nil
}

func get(ctx context.Context, client *http.Client, url string, headers [][2]string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for _, kv := range headers {
		req.Header.Add(kv[0], kv[1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, resp.StatusCode)
	}
	return nil
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The tests of the public suite pass over HTTP, and over HTTP, Kafka and HTTP.
// How many the stock propagator passes is only logged: it may learn more.
func TestSuite(t *testing.T) {
	tests, err := w3csuite.Tests()
	check(t, err)
	if len(tests) != 41 {
		t.Fatalf("%d tests in the suite, want 41", len(tests))
	}
	kafka := newBroker(t)
	for way, broker := range map[string]*kgo.Client{"HTTP": nil, "HTTP, Kafka, HTTP": kafka} {
		t.Run(way, func(t *testing.T) {
			strict, stock := newChain(t, tracecontext.New(), broker), newChain(t, propagation.TraceContext{}, broker)
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
		})
	}
}

// Every case of the table arrives over HTTP, Kafka and HTTP, baggage included.
func TestCasesOverHTTPAndKafka(t *testing.T) {
	c := newChain(t, tracecontext.New(), newBroker(t))
	for _, w := range w3cCases(t) {
		t.Run(w.Name, func(t *testing.T) {
			arrived, err := c.send(append(w.Headers, [2]string{"baggage", "order=1;p"}), 1)
			check(t, err)
			if got := arrived[0].Get("baggage"); got != "order=1;p" {
				t.Errorf("baggage %q arrived", got)
			}
			checkArrived(t, w, arrived[0])
		})
	}
}

// checkArrived compares what the last server got with what the case wants.
func checkArrived(t *testing.T, c w3cCase, arrived http.Header) {
	t.Helper()
	parent := arrived.Get("traceparent")
	if len(arrived.Values("traceparent")) != 1 || len(parent) != 55 {
		t.Fatalf("arrived: %v", arrived)
	}
	if c.Traceparent != "" && (parent[3:35] != c.Traceparent[3:35] || parent[36:52] == c.Traceparent[36:52]) {
		t.Errorf("traceparent %q, want trace %s and another span: %s", parent, c.Traceparent[3:35], c.Rule)
	}
	for _, h := range c.Headers {
		if c.Traceparent == "" && strings.Contains(h[1], parent[3:35]) {
			t.Errorf("trace %s goes on, want a new one: %s", parent[3:35], c.Rule)
		}
	}
	if state := strings.Join(arrived.Values("tracestate"), ","); state != c.Tracestate {
		t.Errorf("tracestate %q, want %q: %s", state, c.Tracestate, c.Rule)
	}
}
