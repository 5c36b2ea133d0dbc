package tracecontext_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/tracecontext"
)

// headers is what a carrier of Kafka headers must do: keys in any case, all
// values of a key, null for none. The library has no carrier for Kafka, since
// the client's instrumentation has one.
type headers []kgo.RecordHeader

func (h *headers) Get(key string) string {
	if v := h.Values(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func (h *headers) Values(key string) (values []string) {
	for _, x := range *h {
		if strings.EqualFold(x.Key, key) && x.Value != nil {
			values = append(values, string(x.Value))
		}
	}
	return values
}

func (h *headers) Set(key, value string) {
	*h = slices.DeleteFunc(*h, func(x kgo.RecordHeader) bool { return strings.EqualFold(x.Key, key) })
	*h = append(*h, kgo.RecordHeader{Key: key, Value: []byte(value)})
}

func (h *headers) Keys() (keys []string) {
	for _, x := range *h {
		keys = append(keys, x.Key)
	}
	return keys
}

func kafkaCarrier(raw [][2]string) propagation.TextMapCarrier {
	h := &headers{}
	for _, kv := range raw {
		*h = append(*h, kgo.RecordHeader{Key: kv[0], Value: []byte(kv[1])})
	}
	return h
}

// HTTP → Kafka → HTTP on loopback, with stock otelhttp, for every case of the
// specification.
func TestW3COverHTTPAndKafka(t *testing.T) {
	p, tp := tracecontext.New(), sdktrace.NewTracerProvider()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	check(t, err)
	defer cluster.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ProducerLinger(0), kgo.ConsumeTopics("orders"))
	check(t, err)
	defer cl.Close()
	var arrived http.Header
	exit := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived = r.Header.Clone() }))
	defer exit.Close()
	entry := httptest.NewServer(otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var h headers
		p.Inject(r.Context(), &h)
		if err := cl.ProduceSync(r.Context(), &kgo.Record{Topic: "orders", Headers: h}).FirstErr(); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}), "entry", otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(tp)))
	defer entry.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	traced := otelhttp.NewTransport(transport, otelhttp.WithPropagators(p), otelhttp.WithTracerProvider(tp))

	for _, c := range w3cCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			get(t, t.Context(), transport, entry.URL, append(c.Headers, [2]string{"baggage", "order=1;p"}))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			fetches := cl.PollFetches(ctx)
			check(t, fetches.Err())
			for _, r := range fetches.Records() {
				h := headers(r.Headers)
				get(t, p.Extract(t.Context(), &h), traced, exit.URL, nil)
			}
			checkArrived(t, c, arrived)
		})
	}
}

// checkArrived compares what the last server got with what the case wants.
func checkArrived(t *testing.T, c w3cCase, arrived http.Header) {
	t.Helper()
	sc := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(t.Context(), propagation.HeaderCarrier(arrived)))
	if !sc.IsValid() || arrived.Get("baggage") != "order=1;p" {
		t.Fatalf("arrived: %v", arrived)
	}
	if c.Traceparent != "" && (sc.TraceID().String() != c.Traceparent[3:35] || sc.SpanID().String() == c.Traceparent[36:52]) {
		t.Errorf("got %s-%s, want trace %s and another span: %s", sc.TraceID(), sc.SpanID(), c.Traceparent[3:35], c.Rule)
	}
	for _, h := range c.Headers {
		if c.Traceparent == "" && strings.Contains(h[1], sc.TraceID().String()) {
			t.Errorf("trace %s goes on, want a new one: %s", sc.TraceID(), c.Rule)
		}
	}
	if sc.TraceState().String() != c.Tracestate {
		t.Errorf("tracestate %q, want %q: %s", sc.TraceState(), c.Tracestate, c.Rule)
	}
}

func get(t *testing.T, ctx context.Context, transport http.RoundTripper, url string, headers [][2]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	check(t, err)
	for _, kv := range headers {
		req.Header.Add(kv[0], kv[1])
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	check(t, err)
	check(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", url, resp.StatusCode)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
