package tracecontext_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/tracecontext"
)

const (
	parentOne = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	parentTwo = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-01"
)

// stateOf returns the tracestate that goes on from ctx.
func stateOf(ctx context.Context) string {
	c := propagation.MapCarrier{}
	tracecontext.New().Inject(ctx, c)
	return c["tracestate"]
}

// What somebody puts first goes on first. The rest keeps its order, and what
// trace.TraceState cannot hold its place.
func TestChangedTracestate(t *testing.T) {
	insert := func(key, value string) func(trace.TraceState) (trace.TraceState, error) {
		return func(s trace.TraceState) (trace.TraceState, error) { return s.Insert(key, value) }
	}
	parse := func(list string) func(trace.TraceState) (trace.TraceState, error) {
		return func(trace.TraceState) (trace.TraceState, error) { return trace.ParseTraceState(list) }
	}
	for _, c := range []struct {
		name, came string
		change     func(trace.TraceState) (trace.TraceState, error)
		want       string
	}{
		{"nothing changed", "foo=1,0bar=2,baz=3", parse("foo=1,baz=3"), "foo=1,0bar=2,baz=3"},
		{"added", "foo=1,0bar=2,baz=3", insert("ot", "th:8"), "ot=th:8,foo=1,0bar=2,baz=3"},
		{"changed", "foo=1,0bar=2,baz=3", insert("baz", "4"), "baz=4,foo=1,0bar=2"},
		{"changed, the first", "foo=1,0bar=2,baz=3", insert("foo", "4"), "foo=4,0bar=2,baz=3"},
		{"changed, behind", "0bar=2,foo=1,baz=3", insert("foo", "4"), "foo=4,0bar=2,baz=3"},
		{"set to what it was", "foo=1,0bar=2,baz=3", insert("baz", "3"), "baz=3,foo=1,0bar=2"},
		{"deleted", "foo=1,0bar=2,baz=3", parse("baz=3"), "0bar=2,baz=3"},
		{"all deleted", "foo=1,0bar=2,baz=3", parse(""), "0bar=2"},
		{"another order", "foo=1,0bar=2,baz=3", parse("baz=3,foo=1"), "baz=3,foo=1,0bar=2"},
		{"all replaced", "foo=1,0bar=2,baz=3", parse("x=1,y=2"), "x=1,y=2,0bar=2"},
		{"added and deleted", "foo=1,0bar=2,baz=3,1qux=4", parse("x=1,foo=1"), "x=1,foo=1,0bar=2,1qux=4"},
		{"nothing held, added", "0foo=1,0bar=2", insert("ot", "th:8"), "ot=th:8,0foo=1,0bar=2"},
		{"33 members: the last is dropped", numbered("a%d", 16) + "," + numbered("0%d", 16), insert("x", "1"), "x=1," + numbered("a%d", 16) + "," + numbered("0%d", 15)},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := tracecontext.New().Extract(t.Context(), propagation.MapCarrier{"traceparent": parentOne, "tracestate": c.came})
			if got := stateOf(ctx); got != c.came {
				t.Fatalf("unchanged it is %q, want %q", got, c.came)
			}
			sc := trace.SpanContextFromContext(ctx)
			state, err := c.change(sc.TraceState())
			check(t, err)
			if got := stateOf(trace.ContextWithSpanContext(ctx, sc.WithTraceState(state))); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// numbered lists n members with numbered keys.
func numbered(key string, n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(key+"=1", i))
	}
	return strings.Join(list, ",")
}

// A tracestate that trace.TraceState cannot hold goes on with its own trace, as
// one that it holds does, and with no other.
func TestWholeTracestateStaysWithItsTrace(t *testing.T) {
	const state = "foo=1,0bar=2"
	tracer := sdktrace.NewTracerProvider().Tracer("")
	both, alone := tracecontext.New(), tracecontext.TraceContext{}
	first := propagation.MapCarrier{"traceparent": parentOne, "tracestate": state, "baggage": "order=1"}
	for _, c := range []struct {
		name string
		then func(ctx context.Context) context.Context
		want string
	}{
		{"a child", func(ctx context.Context) context.Context {
			ctx, span := tracer.Start(ctx, "child")
			span.End()
			ctx, span = tracer.Start(ctx, "grandchild")
			span.End()
			return ctx
		}, state},
		{"a new root", func(ctx context.Context) context.Context {
			ctx, span := tracer.Start(ctx, "root", trace.WithNewRoot())
			span.End()
			return ctx
		}, ""},
		{"no span any more", func(ctx context.Context) context.Context { return trace.ContextWithSpan(ctx, nil) }, ""},
		{"another trace", func(ctx context.Context) context.Context {
			return both.Extract(ctx, propagation.MapCarrier{"traceparent": parentTwo})
		}, ""},
		{"the same trace without a tracestate", func(ctx context.Context) context.Context {
			return alone.Extract(ctx, propagation.MapCarrier{"traceparent": parentOne})
		}, ""},
		{"the same trace, with baggage and without a tracestate", func(ctx context.Context) context.Context {
			return both.Extract(ctx, propagation.MapCarrier{"traceparent": parentOne, "baggage": "a=1"})
		}, ""},
		{"the same trace with a tracestate of level 1", func(ctx context.Context) context.Context {
			return both.Extract(ctx, propagation.MapCarrier{"traceparent": parentOne, "tracestate": "a=1"})
		}, "a=1"},
		{"another trace with its own", func(ctx context.Context) context.Context {
			return both.Extract(ctx, propagation.MapCarrier{"traceparent": parentTwo, "tracestate": "0a=1"})
		}, "0a=1"},
		{"nothing extracted", func(ctx context.Context) context.Context {
			return both.Extract(ctx, propagation.MapCarrier{"tracestate": "0a=1"})
		}, state},
	} {
		for name, p := range map[string]propagation.TextMapPropagator{"both": both, "trace context": alone} {
			if got := stateOf(c.then(p.Extract(t.Context(), first))); got != c.want {
				t.Errorf("%s, extracted by %s: tracestate %q, want %q", c.name, name, got, c.want)
			}
		}
	}
}

// Whoever has no such tracestate pays nothing for it: one allocation for what
// Extract returns, as before.
func TestExtractAllocatesOnce(t *testing.T) {
	p := tracecontext.New()
	for name, carrier := range map[string]propagation.MapCarrier{
		"traceparent": {"traceparent": parentOne}, "traceparent and baggage": {"traceparent": parentOne, "baggage": sixMembers},
	} {
		if n := testing.AllocsPerRun(100, func() { p.Extract(t.Context(), carrier) }); n > 1 {
			t.Errorf("%s: %v allocations, want 1", name, n)
		}
	}
}
