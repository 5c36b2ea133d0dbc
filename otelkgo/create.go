package otelkgo

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"
)

// origin, in the context of a record to be produced, says where it comes from.
type origin struct {
	// creation is the creation context that the headers hold already.
	creation trace.SpanContext
	// custom says that the headers hold one that this package did not write.
	custom bool
	// batched says that SendBatch has the send span.
	batched bool
	// previous is the creation context of the record that this one follows.
	previous trace.SpanContext
}

type originKey struct{}

func withOrigin(ctx context.Context, o *origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// KeepCreationContext returns a context for Produce that keeps the creation
// context which the headers of a record hold already, such as one that an
// outbox stored with the message. The send span is then of kind CLIENT and links
// to it. Without this, Produce replaces such headers: in a forwarded record they
// would link the next consumer to the earlier service instead of this one.
func KeepCreationContext(ctx context.Context) context.Context {
	return withOrigin(ctx, &origin{custom: true})
}

// Create makes a create span for a record that cl will send later: its context
// becomes the record's creation context, and the send span will link to it. Use
// it where a message is made in one place and sent in another; SendBatch does it
// by itself. Create replaces the record's Context, which Produce uses, by one
// made from ctx.
func (in *Instrumentation) Create(ctx context.Context, cl *kgo.Client, r *kgo.Record) {
	if r == nil {
		return
	}
	in = in.usable()
	in.create(orBackground(ctx), in.client(cl), r, false)
}

func (in *Instrumentation) create(ctx context.Context, cs *clientState, r *kgo.Record, batched bool) trace.SpanContext {
	if r.Topic == "" {
		r.Topic = cs.defaultTopic
	}
	ts := cs.topic(r.Topic)
	created, span := in.start(ctx, ts.create.spanName, ts.create.start)
	if span.IsRecording() {
		span.SetAttributes(cs.messageAttributes(nil, r)...)
	}
	in.inject(created, r)
	span.End()
	r.Context = withOrigin(ctx, &origin{creation: span.SpanContext(), batched: batched})
	return span.SpanContext()
}
