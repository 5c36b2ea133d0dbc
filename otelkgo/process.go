package otelkgo

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
)

// Process is the handling of one record or of a batch, open until End. The zero
// value is not usable: StartProcess and StartProcessBatch return one.
type Process struct {
	in    *Instrumentation
	topic *topicState
	// ctx is the context of the span; metrics take their exemplar from it.
	ctx   context.Context
	span  trace.Span
	start time.Duration // from clock
	// measure is for success; a batch over several partitions has its topic's.
	measure *measure
	ended   atomic.Bool
	lost    atomic.Bool

	inflight inflight
	others   []*inflight // of a batch over several partitions
}

// StartProcess starts the process span of a polled record. It returns ctx with
// this span as the current one and with the record's baggage, which replaces
// any other. A span in ctx does not become the parent; the new span links to it.
//
// The caller must call End. Do not replace the record's Context before: it says
// which client fetched the record.
func (in *Instrumentation) StartProcess(ctx context.Context, r *kgo.Record) (context.Context, *Process) {
	in, ctx = in.usable(), orBackground(ctx)
	if r == nil {
		r = &kgo.Record{Partition: -1, Offset: -1}
	}
	ts := in.clientOf(r).topic(r.Topic)
	p := &Process{in: in, topic: ts, start: in.clock(ctx, in.instruments.process), measure: ts.process.measure}
	ps := ts.partition(r.Partition)
	if ps != nil {
		p.measure = ps.processed
		p.inflight.process = p
		ps.enter(&p.inflight)
	}
	ctx, scope := isolate(ctx)
	ctx, doubled := in.extract(ctx, r)
	creation := trace.SpanContextFromContext(ctx)
	relation := in.relationFunc(ctx, r)
	if scope.Equal(creation) {
		scope = trace.SpanContext{}
	}
	switch {
	case relation == RelationLink:
		// A trace of its own: links are all that a sampler can decide by.
		options := ts.process.root
		if ps != nil {
			options = ps.processRoot
		}
		p.startSpan(ctx, r, doubled, withLinks(options, creation, scope))
		return p.ctx, p
	case ps == nil:
		p.startSpan(ctx, r, doubled, ts.process.start)
	case creation.IsSampled():
		p.startWholeSpan(ctx, r, doubled, ps)
	default:
		p.startSpan(ctx, r, doubled, ps.process)
	}
	// The parent has decided, so links cost nothing unless the span is recorded.
	if p.span.IsRecording() {
		if relation == RelationBoth {
			addLink(p.span, creation)
		}
		addLink(p.span, scope)
	}
	return p.ctx, p
}

// startSpan starts the span with options, which hold what samplers may need. It
// adds what the record itself says only when the span is recorded.
func (p *Process) startSpan(ctx context.Context, r *kgo.Record, doubled int, options []trace.SpanStartOption) {
	p.ctx, p.span = p.in.start(ctx, p.topic.process.spanName, options)
	if p.span.IsRecording() {
		s := p.in.scratches.get()
		p.span.SetAttributes(p.topic.client.consumedAttributes(s.attributes[:0], r, doubled)...)
		p.in.scratches.put(s)
	}
}

// startWholeSpan starts the span with all its attributes, so that it need not
// grow for the record's own. That is worth their making when the span will
// likely be recorded, as its parent is.
func (p *Process) startWholeSpan(ctx context.Context, r *kgo.Record, doubled int, ps *partitionState) {
	s := p.in.scratches.get()
	set := p.topic.client.consumedAttributes(append(s.attributes[:0], ps.attributes...), r, doubled)
	p.ctx, p.span = p.in.start(ctx, p.topic.process.spanName, s.startOptions(p.topic.process.kind, set))
	p.in.scratches.put(s)
}

// addLink adds a link if sc is valid.
func addLink(span trace.Span, sc trace.SpanContext) {
	if sc.IsValid() {
		span.AddLink(trace.Link{SpanContext: sc})
	}
}

// withLinks returns options with a link to each valid span context. It leaves
// options itself alone: many spans start with it.
func withLinks(options []trace.SpanStartOption, targets ...trace.SpanContext) []trace.SpanStartOption {
	links := make([]trace.Link, 0, len(targets))
	for _, sc := range targets {
		if sc.IsValid() {
			links = append(links, trace.Link{SpanContext: sc})
		}
	}
	if len(links) == 0 {
		return options
	}
	return with(options, trace.WithLinks(links...))
}

// with returns options with one more, and leaves options itself alone.
func with(options []trace.SpanStartOption, one trace.SpanStartOption) []trace.SpanStartOption {
	return append(slices.Clip(options), one)
}

// start starts a span. Most spans of this package end in another function than
// the one that starts them.
func (in *Instrumentation) start(ctx context.Context, name string, options []trace.SpanStartOption) (context.Context, trace.Span) {
	return in.tracer.Start(ctx, name, options...) //nolint:spancheck // every caller ends its span, most of them in another function
}

// Span returns the process span; that of a zero Process does nothing.
func (p *Process) Span() trace.Span {
	if p == nil || p.span == nil {
		return trace.SpanFromContext(context.Background())
	}
	return p.span
}

// Lost reports whether the partition of the record, or one of the batch, was
// lost since it was polled. Then another member of the group gets the record,
// and its offset must not be committed by this one.
func (p *Process) Lost() bool { return p != nil && p.lost.Load() }

// End ends the process span; err is the handler's error, or nil. The span of a
// record whose partition was lost fails with partition_lost, whatever err is.
// Calls after the first do nothing.
func (p *Process) End(err error) {
	if p == nil || p.in == nil || p.ended.Swap(true) {
		return
	}
	p.inflight.leave()
	for _, f := range p.others {
		f.leave()
	}
	if p.Lost() {
		err = lostError(err)
	}
	m := p.measure
	if err != nil {
		m = p.topic.process.failed(err)
		failSpan(p.span, err)
	}
	p.in.measureDuration(p.ctx, p.in.instruments.process, p.start, m)
	p.span.End()
}

// Process calls handle within a process span and returns its error, joined with
// ErrPartitionLost when the partition was lost meanwhile. A panic ends the span
// and goes on.
func (in *Instrumentation) Process(ctx context.Context, r *kgo.Record, handle func(context.Context, *kgo.Record) error) error {
	if handle == nil {
		return errNil
	}
	ctx, p := in.StartProcess(ctx, r)
	return p.run(func() error { return handle(ctx, r) })
}

// run calls f and ends p with its error.
func (p *Process) run(f func() error) error {
	err := error(errPanic)
	defer func() { p.End(err) }()
	err = f()
	if p.Lost() {
		return lostError(err)
	}
	return err
}

// lostError puts ErrPartitionLost before err, unless it is in it already.
func lostError(err error) error {
	if errors.Is(err, ErrPartitionLost) {
		return err
	}
	return errors.Join(ErrPartitionLost, err)
}

// orBackground returns ctx, or an empty context where it is nil.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// isolated returns ctx without the span and the baggage that it carries.
func isolated(ctx context.Context) context.Context {
	ctx, _ = isolate(ctx)
	return ctx
}

// isolate is isolated, and returns the span context that was in ctx, too.
func isolate(ctx context.Context) (context.Context, trace.SpanContext) {
	scope := trace.SpanContextFromContext(ctx)
	if scope.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	}
	if baggage.FromContext(ctx).Len() > 0 {
		ctx = baggage.ContextWithoutBaggage(ctx)
	}
	return ctx, scope
}
