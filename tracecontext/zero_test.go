package tracecontext_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/tracecontext"
	"tracelab/tracecontext/grpcmeta"
)

// Nil and zero values do what their names say, or nothing. They never panic.
func TestZeroValues(t *testing.T) {
	in := propagation.MapCarrier{"traceparent": parentOne, "tracestate": "0a=1,b=2", "baggage": "order=1"}
	var none context.Context
	for name, p := range map[string]propagation.TextMapPropagator{
		"New(nil)":                 tracecontext.New(nil),
		"New(WithLogger(nil))":     tracecontext.New(tracecontext.WithLogger(nil)),
		"Propagator{}":             &tracecontext.Propagator{},
		"nil Propagator":           (*tracecontext.Propagator)(nil),
		"TraceContext and Baggage": propagation.NewCompositeTextMapPropagator(tracecontext.TraceContext{}, tracecontext.Baggage{}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := p.Extract(none, in)
			if !trace.SpanContextFromContext(ctx).IsValid() || baggage.FromContext(ctx).Len() != 1 || ctx.Value("other") != nil {
				t.Error("without a context, nothing is extracted")
			}
			out := propagation.MapCarrier{}
			p.Inject(ctx, out)
			for key, value := range in {
				if out[key] != value {
					t.Errorf("%s %q is written, want %q", key, out[key], value)
				}
			}
			p.Inject(none, out)
			p.Extract(ctx, propagation.MapCarrier{"traceparent": "broken", "tracestate": ",", "baggage": "broken"})
			for _, carrier := range []propagation.TextMapCarrier{nil, propagation.MapCarrier(nil), propagation.HeaderCarrier(nil), grpcmeta.Carrier(nil)} {
				p.Inject(ctx, carrier)
				if got := p.Extract(ctx, carrier); got != ctx {
					t.Errorf("%T, which has nothing, changes the context", carrier)
				}
			}
			if len(p.Fields()) != 3 {
				t.Errorf("fields %q", p.Fields())
			}
		})
	}
	var p *tracecontext.Propagator
	var r *tracecontext.Refusals
	if p.Refusals().Count(tracecontext.BaggageBytes) != 0 || len(p.Refusals().Counts()) != 0 || len(r.Counts()) != 0 {
		t.Error("nil has counted something")
	}
	if got := tracecontext.Reason(255).String(); got != "unknown" || r.Count(255) != 0 {
		t.Errorf("a reason that does not exist is %q", got)
	}
}
