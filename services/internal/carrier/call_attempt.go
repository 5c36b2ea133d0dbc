package carrier

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// CallAttempt is one attempt at a call that may be made again when it fails.
type CallAttempt struct {
	Number int               // from 1 on
	Before trace.SpanContext // of the attempt before it
	Span   trace.SpanContext // of this one, when it has begun
}

type callAttemptKey struct{}

// WithCallAttempt tells the carriers that the call in the context is an attempt.
func WithCallAttempt(ctx context.Context, a *CallAttempt) context.Context {
	return context.WithValue(ctx, callAttemptKey{}, a)
}

// CallAttemptOf is the attempt that the call in the context is; nil when it is none.
func CallAttemptOf(ctx context.Context) *CallAttempt {
	a, _ := ctx.Value(callAttemptKey{}).(*CallAttempt)
	return a
}

// Mark notes the attempt's span. A span behind the first one says which attempt it is, and links to the one that failed.
func (a *CallAttempt) Mark(span trace.Span) {
	a.Span = span.SpanContext()
	if a.Number < 2 {
		return
	}
	span.SetAttributes(attribute.Int(KeyAttempt, a.Number))
	if a.Before.IsValid() {
		span.AddLink(trace.Link{SpanContext: a.Before})
	}
}
