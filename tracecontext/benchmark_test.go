package tracecontext_test

import (
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/tracecontext"
)

const sixMembers = "tracelab.run=2026-11-21-1,tracelab.form=kafka,tracelab.relation=both,tracelab.order.number=17,tracelab.seed=1,tracelab.order.id=01JD4Z6M8Q"

// BenchmarkPropagators compares with stock OpenTelemetry in one run. "read"
// also asks for the baggage, "forward" also writes it again unchanged. "strict,
// keys unknown" is what is left when OpenTelemetry's keys cannot be learned.
func BenchmarkPropagators(b *testing.B) {
	stock := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	in := propagation.MapCarrier{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": sixMembers}
	made, err := baggage.Parse(sixMembers)
	if err != nil {
		b.Fatal(err)
	}
	ctx := baggage.ContextWithBaggage(propagation.TraceContext{}.Extract(b.Context(), in), made)
	for _, p := range []struct {
		name string
		propagation.TextMapPropagator
		forget bool // the keys of OpenTelemetry
	}{{"stock", stock, false}, {"strict", tracecontext.New(), false}, {"strict, keys unknown", tracecontext.New(), true}} {
		b.Run("inject/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			tracecontext.ForgetKeys(b, p.forget, p.forget)
			out := propagation.MapCarrier{}
			for b.Loop() {
				p.Inject(ctx, out)
			}
		})
		b.Run("extract/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			tracecontext.ForgetKeys(b, p.forget, p.forget)
			for b.Loop() {
				p.Extract(b.Context(), in)
			}
		})
		b.Run("extract+read/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			tracecontext.ForgetKeys(b, p.forget, p.forget)
			for b.Loop() {
				if got := p.Extract(b.Context(), in); baggage.FromContext(got).Len() != 6 || !trace.SpanContextFromContext(got).IsValid() {
					b.Fatal("context lost")
				}
			}
		})
		b.Run("forward/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			tracecontext.ForgetKeys(b, p.forget, p.forget)
			out := propagation.MapCarrier{}
			for b.Loop() {
				p.Inject(p.Extract(b.Context(), in), out)
			}
		})
	}
}

// BenchmarkTracestate forwards a tracestate: one that trace.TraceState can hold,
// and one with a key of level 2, which travels beside it. Whoever has no such
// keys is to pay nothing for them.
func BenchmarkTracestate(b *testing.B) {
	for _, state := range []struct{ name, text string }{{"none", ""}, {"level 1", "foo=1,bar=2"}, {"level 2", "foo=1,0bar=2"}} {
		in := propagation.MapCarrier{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
		if state.text != "" {
			in["tracestate"] = state.text
		}
		for _, p := range []struct {
			name string
			propagation.TextMapPropagator
		}{{"stock", propagation.TraceContext{}}, {"strict", tracecontext.New()}} {
			if state.name == "level 2" && p.name == "stock" {
				continue // it cannot
			}
			b.Run(state.name+"/"+p.name, func(b *testing.B) {
				b.ReportAllocs()
				out := propagation.MapCarrier{}
				for b.Loop() {
					p.Inject(p.Extract(b.Context(), in), out)
				}
				if out["tracestate"] != state.text {
					b.Fatalf("%q was forwarded", out["tracestate"])
				}
			})
		}
	}
}
