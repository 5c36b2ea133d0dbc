package tracecontext_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"

	"tracelab/tracecontext"
	"tracelab/tracecontext/grpcmeta"
)

// again checks that what was accepted is written and read back unchanged,
// without a refusal.
func again(t *testing.T, ctx context.Context) {
	t.Helper()
	p, c := tracecontext.New(), propagation.MapCarrier{}
	p.Inject(ctx, c)
	got := p.Extract(t.Context(), c)
	if a, b := trace.SpanContextFromContext(ctx), trace.SpanContextFromContext(got); !a.Equal(b) {
		t.Errorf("%+v became %+v", a, b)
	}
	a, b := members(baggage.FromContext(ctx)), members(baggage.FromContext(got))
	for k, v := range a {
		if b[k] != v {
			t.Errorf("baggage %q: %q became %q", k, v, b[k])
		}
	}
	if n := p.Refusals().Counts(); len(n) != 0 {
		t.Errorf("own output refused: %v", n)
	}
	out := propagation.MapCarrier{}
	if p.Inject(got, out); out["traceparent"] != c["traceparent"] || out["tracestate"] != c["tracestate"] {
		t.Errorf("%v was written, and then %v", c, out)
	}
}

func FuzzTraceparent(f *testing.F) {
	for _, c := range w3cCases(f) {
		for _, h := range c.Headers {
			f.Add(h[1])
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := tracecontext.New()
		ctx := p.Extract(t.Context(), propagation.MapCarrier{"traceparent": s})
		valid := trace.SpanContextFromContext(ctx).IsValid()
		if refused := len(p.Refusals().Counts()) > 0; s != "" && valid == refused {
			t.Errorf("%q: valid %t, refused %t", s, valid, refused)
		}
		asBytes := p.Extract(t.Context(), bytesCarrier([][2]string{{"traceparent", s}}))
		if a, b := trace.SpanContextFromContext(ctx), trace.SpanContextFromContext(asBytes); !a.Equal(b) {
			t.Errorf("%q: as text %+v, as bytes %+v", s, a, b)
		}
		again(t, ctx)
	})
}

func FuzzTracestate(f *testing.F) {
	for _, c := range w3cCases(f) {
		for _, h := range c.Headers {
			f.Add(h[1], "")
			f.Add(h[1], "a=1")
		}
	}
	f.Add(numbered("0%d", 31), "a=1") // no room for one more
	f.Fuzz(func(t *testing.T, one, two string) {
		p := tracecontext.New()
		ctx := p.Extract(t.Context(), propagation.HeaderCarrier{
			"Traceparent": {"00-12345678901234567890123456789012-1234567890123456-01"},
			"Tracestate":  {one, two},
		})
		sc := trace.SpanContextFromContext(ctx)
		if !sc.IsValid() {
			t.Error("the tracestate has cost the traceparent")
		}
		if stateOf(ctx) == "" && len(p.Refusals().Counts()) == 0 && strings.Trim(one+two, " \t,") != "" {
			t.Errorf("%q and %q were dropped without being counted", one, two)
		}
		again(t, ctx)
		changed, err := sc.TraceState().Insert("changed", "1")
		if err != nil {
			t.Fatal(err)
		}
		ctx = trace.ContextWithSpanContext(ctx, sc.WithTraceState(changed))
		state := stateOf(ctx)
		if !strings.HasPrefix(state, "changed=1") || strings.Count(state, ",") >= 32 {
			t.Errorf("%q, want the changed member first, and at most 32", state)
		}
		read := tracecontext.New()
		if got := stateOf(read.Extract(t.Context(), propagation.MapCarrier{"traceparent": parentOne, "tracestate": state})); got != state {
			t.Errorf("%q was written, and then %q", state, got)
		}
		if n := read.Refusals().Counts(); len(n) != 0 {
			t.Errorf("own output %q refused: %v", state, n)
		}
	})
}

func FuzzBaggage(f *testing.F) {
	f.Add("a=1;p=2, b=%20", "c=3")
	f.Add("a=%FF,b,c d=1", "")
	f.Add(many(65), strings.Repeat("%", 9000))
	f.Fuzz(func(t *testing.T, one, two string) {
		p := tracecontext.New()
		ctx := p.Extract(t.Context(), propagation.HeaderCarrier{"Baggage": {one, two}})
		n := baggage.FromContext(ctx).Len()
		for _, m := range baggage.FromContext(ctx).Members() {
			if text := m.Value() + m.String(); !utf8.ValidString(text) {
				t.Errorf("%q is not UTF-8", text)
			}
		}
		if n == 0 && len(p.Refusals().Counts()) == 0 && strings.Trim(one+two, " \t,") != "" {
			t.Errorf("%q and %q were dropped without being counted", one, two)
		}
		if n > 64 {
			t.Errorf("%d members", n)
		}
		again(t, ctx)
	})
}

func FuzzMetadataCarrier(f *testing.F) {
	f.Add("traceparent", "x", "y")
	f.Add("Trace-Bin", "\x00", "")
	f.Fuzz(func(t *testing.T, key, one, two string) {
		md := metadata.MD{}
		md.Append(key, one, two)
		c := grpcmeta.Carrier(md)
		if c.Get(key) != one || len(c.Values(key)) != 2 {
			t.Errorf("Get gives %q and Values %q", c.Get(key), c.Values(key))
		}
		tracecontext.New().Extract(t.Context(), c)
		c.Set(key, two)
		if v := c.Values(key); len(v) != 1 || v[0] != two {
			t.Errorf("after Set: %q", v)
		}
		c.Delete(key)
		if len(c.Values(key)) != 0 || len(c.Keys()) != 0 {
			t.Errorf("after Delete: %v", c)
		}
	})
}
