package tracecontext_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"google.golang.org/grpc/metadata"

	"tracelab/tracecontext"
	"tracelab/tracecontext/grpcmeta"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// w3cCase is one rule of the specification: the headers that came, and those
// that go on. When Traceparent is empty, a new trace starts.
type w3cCase struct {
	Name, Rule  string
	Headers     [][2]string
	Traceparent string
	Tracestate  string
	Refused     string
}

func w3cCases(t testing.TB) []w3cCase {
	t.Helper()
	b, err := os.ReadFile("testdata/tracecontext.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []w3cCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 100 {
		t.Fatalf("%d cases read, want at least 100", len(cases))
	}
	return cases
}

// carriers make a carrier from headers.
var carriers = map[string]func([][2]string) propagation.TextMapCarrier{
	"kafka": kafkaCarrier,
	"bytes": bytesCarrier,
	"http": func(headers [][2]string) propagation.TextMapCarrier {
		h := http.Header{}
		for _, kv := range headers {
			h.Add(kv[0], kv[1])
		}
		return propagation.HeaderCarrier(h)
	},
	"grpc": func(headers [][2]string) propagation.TextMapCarrier {
		md := metadata.MD{}
		for _, kv := range headers {
			md.Append(kv[0], kv[1])
		}
		return grpcmeta.Carrier(md)
	},
}

func TestW3C(t *testing.T) {
	for name, carrier := range carriers {
		t.Run(name, func(t *testing.T) {
			for _, c := range w3cCases(t) {
				t.Run(c.Name, func(t *testing.T) { testW3C(t, c, carrier) })
			}
		})
	}
}

func testW3C(t *testing.T, c w3cCase, carrier func([][2]string) propagation.TextMapCarrier) {
	p := tracecontext.New()
	ctx := p.Extract(t.Context(), carrier(c.Headers))
	if c.Traceparent != "" && !trace.SpanContextFromContext(ctx).IsRemote() {
		t.Error("the span context is not marked as remote")
	}
	out := carrier(nil)
	p.Inject(ctx, out)
	if got := out.Get("traceparent"); got != c.Traceparent {
		t.Errorf("traceparent %q, want %q: %s", got, c.Traceparent, c.Rule)
	}
	if got := out.Get("tracestate"); got != c.Tracestate {
		t.Errorf("tracestate %q, want %q: %s", got, c.Tracestate, c.Rule)
	}
	want := map[string]uint64{}
	if c.Refused != "" {
		want[c.Refused] = 1
	}
	if got := p.Refusals().Counts(); len(got) != len(want) || got[c.Refused] != want[c.Refused] {
		t.Errorf("refused %v, want %v", got, want)
	}
}

func TestExtractLeavesTheContextOnRefusal(t *testing.T) {
	ctx := context.WithValue(t.Context(), http.ServerContextKey, 1)
	got := tracecontext.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": "00-0-0-00"})
	if got != ctx {
		t.Error("a refused traceparent changed the context")
	}
}

func TestInjectRemovesAnOldTracestate(t *testing.T) {
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(t.Context(), sc)
	for name, carrier := range carriers {
		c := carrier([][2]string{{"tracestate", "old=1"}})
		tracecontext.New().Inject(ctx, c)
		if got := c.Get("tracestate"); got != "" {
			t.Errorf("%s: tracestate %q of an earlier use is still there", name, got)
		}
	}
	c := propagation.MapCarrier{"tracestate": "old=1"}
	tracecontext.New().Inject(ctx, c)
	if got := c.Get("tracestate"); got != "" {
		t.Errorf("a carrier that cannot delete: tracestate %q of an earlier use is still there", got)
	}
}
