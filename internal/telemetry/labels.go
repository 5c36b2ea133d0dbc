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

// Labels puts a service's work under its labels, for a CPU profiler to tell apart what one process does. Goroutines hand
// their labels on to those that they start; so whatever a service starts for itself begins with Service, or it would count
// for ever as work of the order that happened to need it first. The zero value does nothing: without a profiler labels are
// of no use, and each change of them costs some allocations.
type Labels struct {
	service    context.Context // has the service's label and nothing else; nil: off
	form       func(context.Context) string
	propagator propagation.TextMapPropagator
}

func newLabels(service string, form func(context.Context) string, propagator propagation.TextMapPropagator) Labels {
	return Labels{pprof.WithLabels(context.Background(), pprof.Labels(LabelService, service)), form, propagator}
}

// On tells whether anything is labelled.
func (l Labels) On() bool { return l.service != nil }

// Service marks the goroutine as the service's own: it works for no order, or for no order any more.
func (l Labels) Service() {
	if l.On() {
		pprof.SetGoroutineLabels(l.service)
	}
}

// Order marks the goroutine as working for the order that has just arrived with these baggage headers, by the order's
// form, and returns a context that hands the mark on. It comes before the instrumentation, so that what the
// instrumentation costs is the order's, too.
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

// Step marks the goroutine as doing a step of the context's order, until end is called.
func (l Labels) Step(ctx context.Context, step string) (inside context.Context, end func()) {
	if !l.On() {
		return ctx, func() {}
	}
	inside = pprof.WithLabels(ctx, pprof.Labels(LabelStep, step))
	pprof.SetGoroutineLabels(inside)
	return inside, func() { pprof.SetGoroutineLabels(ctx) }
}

// Apart does something that starts goroutines of the service's own, such as a connection, in the middle of an order.
func (l Labels) Apart(ctx context.Context, do func()) {
	l.Service()
	do()
	if l.On() {
		pprof.SetGoroutineLabels(ctx)
	}
}
