package tracecontext

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// remoteContext is a context with a remote span context. It is what
// trace.ContextWithRemoteSpanContext makes, in one allocation instead of two.
type remoteContext struct {
	context.Context
	span remoteSpan
}

// remoteSpan is a span that has a span context and does nothing.
type remoteSpan struct {
	trace.Span
	sc trace.SpanContext
}

// noSpan has the methods that remoteSpan does not have itself.
var noSpan trace.Span = noop.Span{}

func (s *remoteSpan) SpanContext() trace.SpanContext { return s.sc }

func (c *remoteContext) Value(key any) any {
	switch key {
	case spanKey:
		return &c.span
	case wholeStateKey{}:
		return (*wholeState)(nil) // not one of an earlier Extract
	}
	return c.Context.Value(key)
}

// withRemote returns ctx with sc as its remote span context and whole as its
// tracestate, or ctx as it is when sc is not valid.
func withRemote(ctx context.Context, sc trace.SpanContext, whole *wholeState) context.Context {
	switch {
	case !sc.IsValid():
		return ctx
	case spanKey == nil:
		return &wholeContext{trace.ContextWithRemoteSpanContext(ctx, sc), whole}
	}
	remote := &remoteContext{ctx, remoteSpan{noSpan, sc}}
	if whole == nil {
		return remote
	}
	return &wholeContext{remote, whole}
}
