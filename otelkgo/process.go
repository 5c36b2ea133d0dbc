package otelkgo

import (
	"context"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Process is the handling of one record, open until End.
type Process struct {
	span  trace.Span
	ended atomic.Bool
}

// StartProcess starts the process span of a polled record. The context that it
// returns is ctx with this span as the current one and with the record's
// baggage, and no other, in it. A span that ctx carries already does not become
// the parent; it is kept as a link.
//
// The caller must call End.
func (in *Instrumentation) StartProcess(ctx context.Context, r *kgo.Record) (context.Context, *Process) {
	ps := in.clientOf(r).topic(r.Topic)
	scope := trace.SpanContextFromContext(ctx)
	ctx = in.propagator.Extract(isolated(ctx), RecordCarrier{r})
	creation := trace.SpanContextFromContext(ctx)
	relation := in.relation(ctx, r)

	links := make([]trace.Link, 0, 2)
	if creation.IsValid() && relation != RelationParent {
		links = append(links, trace.Link{SpanContext: creation})
	}
	if scope.IsValid() && !scope.Equal(creation) {
		links = append(links, trace.Link{SpanContext: scope})
	}
	options := make([]trace.SpanStartOption, 0, 4)
	options = append(options, ps.partition(r.Partition).process...)
	if relation == RelationLink {
		options = append(options, trace.WithNewRoot())
	}
	if len(links) > 0 {
		options = append(options, trace.WithLinks(links...))
	}
	ctx, span := in.tracer.Start(ctx, ps.process.spanName, options...)
	if span.IsRecording() {
		attrs := append(make([]attribute.KeyValue, 0, 3), semconv.MessagingKafkaOffset(int(r.Offset)))
		span.SetAttributes(messageAttributes(attrs, r)...)
	}
	return ctx, &Process{span: span}
}

// Span returns the process span.
func (p *Process) Span() trace.Span { return p.span }

// End ends the process span; err is what the handling came to. Calls after the
// first do nothing.
func (p *Process) End(err error) {
	if p.ended.Swap(true) {
		return
	}
	failSpan(p.span, err)
	p.span.End()
}

// Process calls handle within a process span and returns its error. A panic
// ends the span and goes on.
func (in *Instrumentation) Process(ctx context.Context, r *kgo.Record, handle func(context.Context, *kgo.Record) error) error {
	ctx, p := in.StartProcess(ctx, r)
	err := error(errPanic)
	defer func() { p.End(err) }()
	err = handle(ctx, r)
	return err
}

// isolated returns ctx without the span and the baggage that it carries.
func isolated(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	}
	if baggage.FromContext(ctx).Len() > 0 {
		ctx = baggage.ContextWithoutBaggage(ctx)
	}
	return ctx
}
