package tracecontext

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/propagation"
)

// Propagator is TraceContext and Baggage in one. New makes one that counts what
// it refuses; the zero value and nil work and count nothing.
type Propagator struct {
	traceContext TraceContext
	baggage      Baggage
	refusals     *Refusals
}

var _ propagation.TextMapPropagator = (*Propagator)(nil)

// Option configures a Propagator.
type Option func(*Propagator)

// WithLogger logs refusals to l, at level warn and at most once a minute, by
// reason and number. Values are not logged: they come from outside. A nil l logs
// nothing.
func WithLogger(l *slog.Logger) Option {
	return func(p *Propagator) { p.refusals.logger = l }
}

// New returns a propagator of trace context and baggage. Options that are nil
// do nothing.
func New(opts ...Option) *Propagator {
	p := &Propagator{refusals: &Refusals{}}
	for _, o := range opts {
		if o != nil {
			o(p)
		}
	}
	p.traceContext.Refusals = p.refusals
	p.baggage.Refusals = p.refusals
	return p
}

// Refusals counts what this propagator refused. It is nil, and counts nothing,
// for a Propagator that New did not make.
func (p *Propagator) Refusals() *Refusals { return p.orZero().refusals }

func (p *Propagator) orZero() *Propagator {
	if p == nil {
		return &Propagator{}
	}
	return p
}

// Inject writes the span context and the baggage of ctx into carrier.
func (p *Propagator) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	p = p.orZero()
	p.traceContext.Inject(ctx, carrier)
	p.baggage.Inject(ctx, carrier)
}

// Extract returns ctx with the remote span context and the baggage that
// carrier holds.
func (p *Propagator) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	p, ctx = p.orZero(), orBackground(ctx)
	if carrier == nil {
		return ctx
	}
	sc, whole := p.traceContext.spanContext(carrier)
	raw := p.baggage.header(carrier)
	if !sc.IsValid() || raw == "" || whole != nil || spanKey == nil || baggageKey == nil {
		return p.baggage.with(withRemote(ctx, sc, whole), raw)
	}
	both := &struct {
		remote  remoteContext
		baggage lazyBaggage
	}{remote: remoteContext{Context: ctx, span: remoteSpan{noSpan, sc}}}
	both.baggage.init(&both.remote, raw, p.refusals)
	return &both.baggage
}

// Fields returns the names of the headers that Inject writes.
func (p *Propagator) Fields() []string {
	return []string{traceparentHeader, tracestateHeader, baggageHeader}
}
