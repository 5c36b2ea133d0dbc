package services

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// hopFaults is the propagator of a service that obeys faults. It misbehaves where the context is written, so every carrier behaves alike.
type hopFaults struct {
	propagation.TextMapPropagator
	service string
	flow    *flows.Flow
	fired   *firedFaults
}

// acting lists the faults of some kinds that act on what the service sends for the context's order.
func (h hopFaults) acting(ctx context.Context, of func(faults.Fault) bool) (Experiment, []faults.Fault) {
	if baggage.FromContext(ctx).Member(KeyFaults).Key() == "" { // as in most orders
		return Experiment{}, nil
	}
	e, err := experimentOf(ctx, h.flow)
	if err != nil {
		return e, nil
	}
	var acting []faults.Fault
	for _, f := range e.Faults {
		if f.Service == h.service && of(f) && e.acts(ctx, f) {
			acting = append(acting, f)
		}
	}
	return e, acting
}

// Inject writes the context, as far as the faults let it.
func (h hopFaults) Inject(ctx context.Context, to propagation.TextMapCarrier) {
	e, acting := h.acting(ctx, func(f faults.Fault) bool {
		return !f.ActsOnSteps() && !f.ActsOnMessages() && f.Kind != faults.DoubleTraceparent
	})
	whole := ctx
	for _, f := range acting {
		h.fired.note(e, f)
		switch f.Kind {
		case faults.DropContext:
			ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{}) //nolint:fatcontext // once for each fault
		case faults.DropBaggage:
			ctx = baggage.ContextWithoutBaggage(ctx)
		case faults.Unsample:
			sc := trace.SpanContextFromContext(ctx)
			ctx = trace.ContextWithSpanContext(ctx, sc.WithTraceFlags(sc.TraceFlags().WithSampled(false)))
		}
	}
	h.TextMapPropagator.Inject(ctx, to)
	if header, ok := to.(propagation.HeaderCarrier); ok { // the other carriers ask for it
		if second := h.SecondTraceparent(whole); second != "" {
			http.Header(header).Add("traceparent", second)
		}
	}
}

// SecondTraceparent returns a second parent for what is sent, or "". carrier.SecondTraceparent asks for it.
func (h hopFaults) SecondTraceparent(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	e, acting := h.acting(ctx, func(f faults.Fault) bool { return f.Kind == faults.DoubleTraceparent })
	if len(acting) == 0 || !sc.IsValid() {
		return ""
	}
	for _, f := range acting {
		h.fired.note(e, f)
	}
	other := sc.SpanID()
	for i := range other {
		other[i] ^= 0x5a
	}
	return fmt.Sprintf("00-%s-%s-%s", sc.TraceID(), other, sc.TraceFlags())
}
