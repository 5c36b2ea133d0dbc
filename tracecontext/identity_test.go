package tracecontext_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	"tracelab/tracecontext"
)

// genContext draws a valid span context and baggage.
func genContext(t *rapid.T) (context.Context, trace.SpanContext, baggage.Baggage) {
	var traceID trace.TraceID
	var spanID trace.SpanID
	copy(traceID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace id"))
	copy(spanID[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "span id"))
	traceID[15] |= 1
	spanID[7] |= 1
	var list []string
	for _, k := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z][a-z0-9_*/-]{0,20}(@[a-z][a-z0-9]{0,10})?`), 0, 32, rapid.ID[string]).Draw(t, "keys") {
		list = append(list, k+"="+rapid.StringMatching(`[ -+\--<>-~]{0,20}[!-+\--<>-~]`).Draw(t, "value"))
	}
	state, err := trace.ParseTraceState(strings.Join(list, ","))
	if err != nil {
		t.Fatalf("drawn tracestate %q: %v", list, err)
	}
	sc := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceState: state, Remote: true,
		TraceFlags: trace.TraceFlags(rapid.ByteRange(0, 3).Draw(t, "flags")),
	})
	bag := genBaggage(t)
	ctx := trace.ContextWithSpanContext(context.Background(), sc)
	return baggage.ContextWithBaggage(ctx, bag), sc, bag
}

func genBaggage(t *rapid.T) baggage.Baggage {
	bag := baggage.Baggage{}
	for _, k := range rapid.SliceOfNDistinct(rapid.StringMatching("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,10}"), 0, 12, rapid.ID[string]).Draw(t, "baggage keys") {
		var props []baggage.Property
		for i := range rapid.IntRange(0, 2).Draw(t, "properties") {
			p, err := baggage.NewKeyValuePropertyRaw(fmt.Sprintf("p%d", i), rapid.StringN(0, 5, 20).Draw(t, "property"))
			if err != nil {
				t.Skip("not UTF-8")
			}
			props = append(props, p)
		}
		m, err := baggage.NewMemberRaw(k, rapid.StringN(0, 10, 40).Draw(t, "baggage value"), props...)
		if err != nil {
			t.Skip("not UTF-8")
		}
		if bag, err = bag.SetMember(m); err != nil {
			t.Fatal(err)
		}
	}
	return bag
}

// Extract after Inject returns every valid context unchanged, and stock
// OpenTelemetry reads the same from what was written.
func TestIdentity(t *testing.T) {
	stock := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	rapid.Check(t, func(t *rapid.T) {
		ctx, sc, bag := genContext(t)
		for name, carrier := range carriers {
			p, c := tracecontext.New(), carrier(nil)
			p.Inject(ctx, c)
			for reader, r := range map[string]propagation.TextMapPropagator{"this": p, "stock": stock} {
				got := r.Extract(context.Background(), c)
				if gotSC := trace.SpanContextFromContext(got); !gotSC.Equal(sc) {
					t.Fatalf("%s, read by %s: %+v, want %+v", name, reader, gotSC, sc)
				}
				if g, w := fmt.Sprint(members(baggage.FromContext(got))), fmt.Sprint(members(bag)); g != w {
					t.Fatalf("%s, read by %s: baggage %s, want %s", name, reader, g, w)
				}
			}
			if n := p.Refusals().Counts(); len(n) != 0 {
				t.Fatalf("%s: refused %v", name, n)
			}
		}
	})
}

// Headers of any number and size cost no more than the limits allow.
func TestHugeInput(t *testing.T) {
	huge := strings.Repeat("a", 1<<20)
	h := http.Header{}
	for range 10_000 {
		h.Add("baggage", "a=1")
		h.Add("baggage", "\x00")
		h.Add("tracestate", "a=1")
	}
	for name, h := range map[string]http.Header{
		"10,000 headers": h,
		"1 MiB":          {"Traceparent": {huge}, "Tracestate": {huge}, "Baggage": {huge}},
		"1 MiB after":    {"Traceparent": {"00-12345678901234567890123456789012-1234567890123456-01"}, "Tracestate": {"a=1," + huge}, "Baggage": {"a=1," + huge}},
		"1 MiB, later":   {"Traceparent": {"cc-12345678901234567890123456789012-1234567890123456-01-" + huge}},
		"1 MiB of lines": {"Baggage": {huge, huge, "a=1"}, "Tracestate": {huge, huge}},
	} {
		p := tracecontext.New()
		ctx := p.Extract(t.Context(), propagation.HeaderCarrier(h))
		out := propagation.MapCarrier{}
		p.Inject(ctx, out)
		if n := len(out["baggage"]); n > 8192 {
			t.Errorf("%s: %d bytes of baggage go on", name, n)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		baggage.FromContext(p.Extract(t.Context(), propagation.HeaderCarrier(h)))
		runtime.ReadMemStats(&after)
		if size := after.TotalAlloc - before.TotalAlloc; size > 4<<20 {
			t.Errorf("%s: extracting allocates %d bytes, want at most 4 MiB", name, size)
		}
	}
}
