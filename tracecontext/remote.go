package tracecontext

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// remoteContext is a context with a remote span context. It says what
// trace.ContextWithRemoteSpanContext says, in one allocation instead of two.
type remoteContext struct {
	context.Context
	span remoteSpan
}

// remoteSpan is a span that does nothing but have a span context.
type remoteSpan struct {
	trace.Span
	sc trace.SpanContext
}

// noSpan does what a remoteSpan does not do itself.
var noSpan trace.Span = noop.Span{}

// spanKey is the key by which trace.SpanFromContext asks, learnt by letting it
// ask; nil should it not ask like that.
var spanKey = func() any {
	var probe keyProbe
	trace.SpanFromContext(&probe)
	return probe.key
}()

func (s *remoteSpan) SpanContext() trace.SpanContext { return s.sc }

func (c *remoteContext) Value(key any) any {
	if key == spanKey {
		return &c.span
	}
	return c.Context.Value(key)
}

// withRemote returns ctx with sc as its remote span context, or ctx as it is
// when sc is not valid.
func withRemote(ctx context.Context, sc trace.SpanContext) context.Context {
	switch {
	case !sc.IsValid():
		return ctx
	case spanKey == nil:
		return trace.ContextWithRemoteSpanContext(ctx, sc)
	}
	return &remoteContext{ctx, remoteSpan{noSpan, sc}}
}
