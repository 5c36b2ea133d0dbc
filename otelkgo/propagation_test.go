package otelkgo_test

import (
	"context"
	"fmt"
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

	"tracelab/otelkgo"
)

// HTTP → Kafka → HTTP on loopback, with stock otelhttp and the stock propagator.
func TestHTTPToKafkaToHTTP(t *testing.T) {
	const good = "00-12345678901234567890123456789012-1234567890123456-01"
	tp := sdktrace.NewTracerProvider()
	in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithPropagator(propagator))
	check(t, err)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	check(t, err)
	defer cluster.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.WithHooks(in.Hooks()...), kgo.ProducerLinger(0), kgo.ConsumeTopics("orders"))
	check(t, err)
	defer cl.Close()

	var arrived http.Header
	exit := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived = r.Header.Clone() }))
	defer exit.Close()
	entry := httptest.NewServer(otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := cl.ProduceSync(r.Context(), &kgo.Record{Topic: "orders"}).FirstErr(); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}), "entry", otelhttp.WithPropagators(propagator), otelhttp.WithTracerProvider(tp)))
	defer entry.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	traced := otelhttp.NewTransport(transport, otelhttp.WithPropagators(propagator), otelhttp.WithTracerProvider(tp))

	for _, tracestate := range []string{"", "rojo=1,congo=2"} {
		get(t, t.Context(), transport, entry.URL, map[string]string{"traceparent": good, "tracestate": tracestate, "baggage": "order=1"})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		for _, r := range in.PollFetches(ctx, cl).Records() {
			check(t, in.Process(ctx, r, func(ctx context.Context, _ *kgo.Record) error {
				get(t, ctx, traced, exit.URL, nil)
				return nil
			}))
		}
		cancel()
		sc := trace.SpanContextFromContext(propagator.Extract(t.Context(), propagation.HeaderCarrier(arrived)))
		if sc.TraceID().String() != good[3:35] || sc.SpanID().String() == good[36:52] || sc.TraceState().String() != tracestate || arrived.Get("baggage") != "order=1" {
			t.Errorf("arrived: %v", arrived)
		}
	}
}

func get(t *testing.T, ctx context.Context, transport http.RoundTripper, url string, headers map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	check(t, err)
	for k, v := range headers {
		req.Header.Set(k, v)
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

// Headers as other clients write them: doubled, null, binary.
func TestRecordCarrier(t *testing.T) {
	r := &kgo.Record{Headers: []kgo.RecordHeader{
		{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{0xff, 0}}, {Key: "A", Value: []byte("2")}, {Key: "a", Value: nil}, {Key: "c"},
	}}
	c := otelkgo.RecordCarrier{Record: r}
	if got := c.Get("a"); got != "2" {
		t.Errorf("the last value of a is %q, want 2: null is none", got)
	}
	if got := c.Values("a"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("values of a are %q", got)
	}
	if got := c.Get("b"); got != "\xff\x00" {
		t.Errorf("binary value %q", got)
	}
	if c.Get("c") != "" || c.Values("c") != nil || c.Get("missing") != "" {
		t.Error("null and missing headers have values")
	}
	if got := fmt.Sprint(c.Keys()); got != "[a b A a c]" {
		t.Errorf("keys %s", got)
	}
	before := r.Headers
	c.Set("a", "3")
	if got := c.Values("a"); !slices.Equal(got, []string{"3"}) || len(r.Headers) != 3 {
		t.Errorf("after Set: %q", r.Headers)
	}
	if before[0].Key != "a" || string(before[0].Value) != "1" {
		t.Error("Set has written into the old slice of headers")
	}
	c.Delete("b")
	if c.Get("b") != "" || len(r.Headers) != 2 {
		t.Errorf("after Delete: %q", r.Headers)
	}
}

// strict is a propagator that refuses a doubled traceparent, where the carrier
// shows it.
type strict struct {
	propagation.TraceContext
	refused *int
}

func (s strict) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	if all, ok := c.(propagation.ValuesGetter); ok && len(all.Values("traceparent")) > 1 {
		*s.refused++
		return ctx
	}
	return s.TraceContext.Extract(ctx, c)
}

const (
	goodTraceparent  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	staleTraceparent = "00-11111111111111111111111111111111-1111111111111111-01"
)

// A broken or binary context is refused; the record is handled all the same, in
// a new trace.
func TestForeignHeaders(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		for name, headers := range map[string][]kgo.RecordHeader{
			"binary": {{Key: "traceparent", Value: []byte{0, 1, 2, 0xff}}},
			"null":   {{Key: "traceparent", Value: nil}},
			"empty":  {{Key: "traceparent", Value: []byte{}}},
			"huge":   {{Key: "traceparent", Value: make([]byte, 1<<20)}},
		} {
			if s := b.processed(headers); s.Parent().IsValid() || len(s.Links()) != 0 {
				t.Errorf("%s: the process span has a parent or a link", name)
			}
		}
		mixed := b.processed([]kgo.RecordHeader{{Key: "TraceParent", Value: []byte(goodTraceparent)}})
		if mixed.Parent().SpanID().String() != "b7ad6b7169203331" {
			t.Error("a name in mixed case is not read")
		}
	})
}

// processed returns the process span of a record with these headers.
func (b *bubble) processed(headers []kgo.RecordHeader) sdktrace.ReadOnlySpan {
	b.Helper()
	_, process := b.in.StartProcess(b.Context(), &kgo.Record{Topic: "orders", Headers: headers})
	process.End(nil)
	return b.spans.Ended()[len(b.spans.Ended())-1]
}

// doubled are the headers of a record to which a second library has added its
// context: the last of each name counts.
func doubled() []kgo.RecordHeader {
	return []kgo.RecordHeader{
		{Key: "traceparent", Value: []byte(staleTraceparent)}, {Key: "tracestate", Value: []byte("stale=1")}, {Key: "baggage", Value: []byte("order=stale")},
		{Key: "tracestate", Value: []byte("good=1")}, {Key: "baggage", Value: []byte("order=7")}, {Key: "Traceparent", Value: []byte(goodTraceparent)},
		{Key: "traceparent", Value: nil},
	}
}

func TestLastOfDoubledTraceparentsCounts(t *testing.T) {
	for name, p := range map[string]propagation.TextMapPropagator{
		"stock":  propagator,
		"strict": propagation.NewCompositeTextMapPropagator(strict{refused: new(int)}, propagation.Baggage{}),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []string{"orders"}, func(b *bubble) {
				s := b.processed(doubled())
				if got := s.Parent(); got.SpanID().String() != goodTraceparent[36:52] || got.TraceState().String() != "good=1" {
					t.Errorf("the parent is %s with tracestate %q, want the last traceparent", got.SpanID(), got.TraceState())
				}
				if n := attributeInt(s, "otelkgo.traceparent.count"); n != 2 {
					t.Errorf("otelkgo.traceparent.count is %d, want 2", n)
				}
				if got := attributeOf(s, "baggage.order"); got != "7" {
					t.Errorf("baggage order=%q, want the last", got)
				}
				if n := attributeInt(b.processed(manyHeaders(10_000)), "otelkgo.traceparent.count"); n != 10_000 {
					t.Errorf("otelkgo.traceparent.count is %d, want 10,000", n)
				}
				single := b.processed([]kgo.RecordHeader{{Key: "traceparent", Value: []byte(goodTraceparent)}, {Key: "own"}})
				if attributeMap(single.Attributes())["otelkgo.traceparent.count"] != "" {
					t.Error("a single traceparent is counted")
				}
			}, otelkgo.WithPropagator(p))
		})
	}
}

// The count stands on links, too, where a span has many records.
func TestDoubledTraceparentsOnLinks(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		plain, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.net.DialContext))
		b.must(err)
		defer plain.Close()
		b.must(plain.ProduceSync(b.Context(), &kgo.Record{Topic: "orders", Headers: doubled()}).FirstErr())
		cl := b.client(kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.must(b.in.ProcessBatch(b.Context(), b.poll(cl, 1), func(context.Context, []*kgo.Record) error { return nil }))
		if n := len(b.spans.Ended()); n != 2 {
			t.Errorf("%d spans, want poll and process", n)
		}
		for _, s := range b.spans.Ended() {
			for _, l := range s.Links() {
				if l.SpanContext.SpanID().String() != goodTraceparent[36:52] || attributeMap(l.Attributes)["otelkgo.traceparent.count"] != "2" {
					t.Errorf("%s: link to %s with %v", s.Name(), l.SpanContext.SpanID(), l.Attributes)
				}
			}
		}
	})
}

// With WithStrictHeaders a strict propagator refuses what it refuses over HTTP.
func TestStrictHeaders(t *testing.T) {
	p := strict{refused: new(int)}
	inBubble(t, []string{"orders"}, func(b *bubble) {
		for _, headers := range [][]kgo.RecordHeader{doubled(), manyHeaders(10_000)} {
			s := b.processed(headers)
			if s.Parent().IsValid() || len(s.Links()) != 0 {
				t.Error("the process span has a parent or a link")
			}
			if attributeInt(s, "otelkgo.traceparent.count") < 2 {
				t.Error("the traceparents are not counted")
			}
		}
		if *p.refused != 2 {
			t.Errorf("%d doubled traceparents refused, want 2: two headers, and 10,000", *p.refused)
		}
	}, otelkgo.WithPropagator(p), otelkgo.WithStrictHeaders())
}

func manyHeaders(n int) []kgo.RecordHeader {
	headers := make([]kgo.RecordHeader, n)
	for i := range headers {
		headers[i] = kgo.RecordHeader{Key: "traceparent", Value: []byte(goodTraceparent)}
	}
	return headers
}

// FuzzRecordCarrier: whatever the headers, a record is processed, forwarded
// and sent on with one context, and headers that are not ours stay as they are.
func FuzzRecordCarrier(f *testing.F) {
	f.Add("traceparent", []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), "baggage", []byte("a=1"))
	f.Add("Traceparent", []byte(nil), "tracestate", []byte{0xff})
	f.Add(otelkgo.HeaderOriginTopic, []byte("x"), otelkgo.HeaderAttempt, []byte("-1"))
	in, err := otelkgo.New(otelkgo.WithTracerProvider(sdktrace.NewTracerProvider()), otelkgo.WithPropagator(propagator))
	if err != nil {
		f.Fatal(err)
	}
	produce := in.Hooks()[0].(kgo.HookProduceRecordBuffered)
	f.Fuzz(func(t *testing.T, k1 string, v1 []byte, k2 string, v2 []byte) {
		r := &kgo.Record{Topic: "orders", Headers: []kgo.RecordHeader{{Key: k1, Value: v1}, {Key: k2, Value: v2}, {Key: "own", Value: v1}}}
		ctx, process := in.StartProcess(t.Context(), r)
		next := in.Retry(ctx, r, "orders.retry")
		process.End(nil)
		produce.OnProduceRecordBuffered(next)
		c := otelkgo.RecordCarrier{Record: next}
		if v := c.Values("traceparent"); len(v) != 1 || !strings.Contains(v[0], process.Span().SpanContext().TraceID().String()) {
			t.Errorf("traceparents %q of the new record", v)
		}
		if _, ok := otelkgo.OriginOf(next); !ok || otelkgo.Attempt(next) < 1 {
			t.Errorf("headers %q have no origin or attempt", next.Headers)
		}
		if len(r.Headers) != 3 || r.Headers[0].Key != k1 || r.Headers[1].Key != k2 {
			t.Errorf("the old record's headers are %q now", r.Headers)
		}
		if !strings.EqualFold(k1, "own") && !strings.EqualFold(k2, "own") && c.Get("own") != string(v1) {
			t.Errorf("own header is %q, want %q", c.Get("own"), v1)
		}
	})
}
