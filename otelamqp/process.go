package otelamqp

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/trace"
)

// Process is the handling of one message or of a batch, open until End. The zero
// value is not usable: StartProcess and StartProcessBatch return one.
type Process struct {
	in *Instrumentation
	op *operation
	// ctx is the context of the span; metrics take their exemplar from it.
	ctx   context.Context
	span  trace.Span
	start time.Duration // from clock
	ended atomic.Bool
}

// StartProcess starts the process span of a delivery. It returns ctx with this
// span as the current one and with the message's baggage, which replaces any
// other. A span in ctx does not become the parent; the new span links to it.
//
// The caller must call End. A delivery knows its queue when it comes from a
// Channel of this package and has its Acknowledger still.
func (in *Instrumentation) StartProcess(ctx context.Context, d amqp.Delivery) (context.Context, *Process) {
	in, ctx = in.usable(), orBackground(ctx)
	dest, s := in.destinationOf(&d)
	p := &Process{in: in, op: dest.op(operationProcess), start: in.clock(ctx, in.instruments.process)}
	scope := trace.SpanContextFromContext(ctx)
	ctx, doubled := in.extract(isolated(ctx), d.Headers)
	creation := trace.SpanContextFromContext(ctx)
	relation := in.relationFunc(ctx, &d)
	if scope.Equal(creation) {
		scope = trace.SpanContext{}
	}
	options := p.op.start
	switch relation {
	case RelationLink:
		options = withLinks(p.op.root, creation, scope)
	case RelationParent:
		options = withLinks(options, scope)
	default:
		options = withLinks(options, creation, scope)
	}
	p.ctx, p.span = in.start(ctx, p.op.spanName, options)
	if p.span.IsRecording() {
		p.span.SetAttributes(in.appendReceived(slices.Clone(dest.server.client), &d, doubled)...)
	}
	if s != nil {
		s.c.processing(d.DeliveryTag, p.span.SpanContext())
	}
	return p.ctx, p
}

// Span returns the process span; that of a zero Process does nothing.
func (p *Process) Span() trace.Span {
	if p == nil || p.span == nil {
		return trace.SpanFromContext(context.Background())
	}
	return p.span
}

// End ends the process span; err is the handler's error, or nil. Calls after the
// first do nothing. It acknowledges nothing.
func (p *Process) End(err error) {
	if p == nil || p.in == nil || p.ended.Swap(true) {
		return
	}
	p.in.measureDuration(p.ctx, p.in.instruments.process, p.start, p.op.of(err))
	failSpan(p.span, err)
	p.span.End()
}

// Process calls handle within a process span and returns its error. It
// acknowledges nothing: that is for handle, or for the caller. A panic ends the
// span and goes on.
func (in *Instrumentation) Process(ctx context.Context, d amqp.Delivery, handle func(context.Context, amqp.Delivery) error) error {
	if handle == nil {
		return errNil
	}
	ctx, p := in.StartProcess(ctx, d)
	return p.run(func() error { return handle(ctx, d) })
}

// run calls f and ends p with its error.
func (p *Process) run(f func() error) error {
	err := error(errPanic)
	defer func() { p.End(err) }()
	err = f()
	return err
}
