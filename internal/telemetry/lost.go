package telemetry

import (
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Loser is a processor that wants to hear of spans that never end, because their service was killed. Other processors hear nothing of them.
type Loser interface {
	// OnLost takes the place of OnEnd.
	OnLost(s sdktrace.ReadOnlySpan)
}

// OnEnd passes a span on, unless it was lost with its service.
func (s shared) OnEnd(span sdktrace.ReadOnlySpan) {
	if s.alive == nil || s.alive() {
		s.SpanProcessor.OnEnd(span)
		return
	}
	if l, ok := s.SpanProcessor.(Loser); ok {
		l.OnLost(span)
	}
}

// OnLost counts a span that was open when its service was killed.
func (q *Queue) OnLost(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		q.drop(serviceKilled, s)
	}
}

// Lost is how many of the dropped spans were open when their service was killed.
func (q *Queue) Lost() int64 { return q.dropped[serviceKilled].Load() }

// sampler samples what the parent is sampled for, and every root, as long as the service is alive.
func (c Config) sampler() sdktrace.Sampler {
	always := sdktrace.ParentBased(sdktrace.AlwaysSample())
	if c.Alive == nil {
		return always
	}
	return living{always, c.Alive}
}

// living drops every span once a service was killed.
type living struct {
	sdktrace.Sampler
	alive func() bool
}

// ShouldSample asks the sampler while the service is alive.
func (l living) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if l.alive() {
		return l.Sampler.ShouldSample(p)
	}
	return sdktrace.SamplingResult{Decision: sdktrace.Drop}
}
