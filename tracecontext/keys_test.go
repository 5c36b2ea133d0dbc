package tracecontext_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/baggage"

	"tracelab/tracecontext"
)

// With this version of OpenTelemetry the fast way works.
func TestKeysAreLearned(t *testing.T) {
	if !tracecontext.KeysKnown() {
		t.Error("a key of OpenTelemetry was not learned: see keys.go")
	}
}

// Without the keys everything behaves as with them.
func TestWithoutKeys(t *testing.T) {
	for name, forget := range map[string]struct{ span, baggage bool }{
		"neither": {true, true}, "without that of spans": {true, false}, "without that of baggage": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			tracecontext.ForgetKeys(t, forget.span, forget.baggage)
			t.Run("cases", TestW3C)
			t.Run("identity", TestIdentity)
			t.Run("refusal", TestExtractLeavesTheContextOnRefusal)
			t.Run("noop tracer", TestRemoteContextPassesANoopTracer)
			t.Run("changed tracestate", TestChangedTracestate)
			t.Run("tracestate of a trace", TestWholeTracestateStaysWithItsTrace)
			t.Run("baggage", TestBaggageExtract)
			t.Run("baggage as it came", TestBaggagePassesOnAsItCame)
			t.Run("changed baggage", TestBaggageChangedIsWrittenAnew)
			t.Run("broken baggage", TestBrokenBaggageIsNotPassedOn)
			t.Run("no baggage", TestBaggageOfTheContextStaysWithoutHeader)
			t.Run("baggage at once", TestLazyBaggageIsSafe)
			t.Run("zero values", TestZeroValues)
		})
	}
}

type testKey struct{}

func TestLearnKey(t *testing.T) {
	holds := context.WithValue(context.Background(), testKey{}, 1)
	for _, c := range []struct {
		name string
		get  func(context.Context)
		put  context.Context
		want any
	}{
		{"one key", func(ctx context.Context) { ctx.Value(testKey{}) }, holds, testKey{}},
		{"another key holds the value", func(ctx context.Context) { ctx.Value("other") }, holds, nil},
		{"no key", func(context.Context) {}, holds, nil},
		{"two keys", func(ctx context.Context) { ctx.Value("first"); ctx.Value(testKey{}) }, holds, nil},
		{"not by a key", func(ctx context.Context) { _, _ = ctx.Deadline() }, holds, nil},
	} {
		if got := tracecontext.LearnKey(c.put, c.get); got != c.want {
			t.Errorf("%s: key %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMapAddress(t *testing.T) {
	one, err := baggage.Parse("a=1")
	check(t, err)
	same, err := baggage.Parse("a=1")
	check(t, err)
	if a := tracecontext.MapAddress(one); a == 0 || a != tracecontext.MapAddress(one) || a == tracecontext.MapAddress(same) {
		t.Error("the address of a baggage's map does not tell it from another")
	}
	for _, other := range []any{
		nil, baggage.Baggage{}, map[string]int{}, &one, struct{}{}, struct{ list []string }{}, struct{ a, b map[string]int }{},
	} {
		if a := tracecontext.MapAddress(other); a != 0 {
			t.Errorf("%T has the address %#x, want 0: it may change", other, a)
		}
	}
}
