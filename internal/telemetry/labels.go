package telemetry

import (
	"context"
	"runtime/pprof"
	"strings"

	"go.opentelemetry.io/otel/propagation"
)

// Labels of CPU samples: in Pyroscope, and in the files of `run --profiles`.
const (
	LabelService = "service"
	LabelForm    = "form"
	LabelStep    = "step"
)

// Labels sets the profiler labels of a service's goroutines, so that a CPU profile tells apart the work that one process
// does. A goroutine inherits the labels of the one that starts it. So whatever a service starts for itself calls Service
// first, or it would count for ever as work of the order that happened to need it first. The zero value does nothing:
// without a profiler labels are of no use, and each change costs some allocations.
type Labels struct {
	service    context.Context // has the service's label and nothing else; nil: off
	form       func(context.Context) string
	propagator propagation.TextMapPropagator
}

func newLabels(service string, form func(context.Context) string, propagator propagation.TextMapPropagator) Labels {
	return Labels{pprof.WithLabels(context.Background(), pprof.Labels(LabelService, service)), form, propagator}
}

// On reports whether anything is labeled.
func (l Labels) On() bool { return l.service != nil }

// Service labels the goroutine as the service's own: it works for no order, or no longer for one.
func (l Labels) Service() {
	if l.On() {
		pprof.SetGoroutineLabels(l.service)
	}
}

// Order labels the goroutine with the form of the order that arrived with these baggage headers, and returns a context
// that passes the label on. Call it before the instrumentation, so that the order's share includes what that costs.
func (l Labels) Order(ctx context.Context, baggage ...string) context.Context {
	if !l.On() {
		return ctx
	}
	carried := l.propagator.Extract(context.Background(), propagation.MapCarrier{"baggage": strings.Join(baggage, ",")})
	service, _ := pprof.Label(l.service, LabelService)
	ctx = pprof.WithLabels(ctx, pprof.Labels(LabelService, service, LabelForm, l.form(carried)))
	pprof.SetGoroutineLabels(ctx)
	return ctx
}

// Step labels the goroutine with a step of the context's order, until end is called.
func (l Labels) Step(ctx context.Context, step string) (inside context.Context, end func()) {
	if !l.On() {
		return ctx, func() {}
	}
	inside = pprof.WithLabels(ctx, pprof.Labels(LabelStep, step))
	pprof.SetGoroutineLabels(inside)
	return inside, func() { pprof.SetGoroutineLabels(ctx) }
}

// Apart calls do, which starts goroutines of the service's own (those of a connection, say) in the middle of an order.
func (l Labels) Apart(ctx context.Context, do func()) {
	l.Service()
	do()
	if l.On() {
		pprof.SetGoroutineLabels(ctx)
	}
}
