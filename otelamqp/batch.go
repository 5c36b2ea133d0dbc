package otelamqp

import (
	"context"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// StartProcessBatch starts one process span for deliveries that are handled
// together. The span is the root of its own trace, as the work belongs to as
// many traces as there are messages, and carries no baggage. It has a link for
// each message that has a creation context, with what concerns that message
// alone on the link. What all messages share stands on the span; a batch over
// several destinations names none.
//
// The deliveries must come from one server. The caller must call End.
func (in *Instrumentation) StartProcessBatch(ctx context.Context, deliveries []amqp.Delivery) (context.Context, *Process) {
	in, ctx = in.usable(), orBackground(ctx)
	members := make([]member, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		dest, s := in.destinationOf(d)
		creation, doubled := in.extractLink(d.Headers)
		members[i] = member{delivery: d, destination: dest, subscription: s, creation: creation, doubled: doubled}
	}
	shared := in.shared(members)
	p := &Process{in: in, op: shared.op(operationProcess), start: in.clock(ctx, in.instruments.process)}
	links, omitted := in.batchLinks(shared, members, trace.SpanContextFromContext(ctx))
	p.ctx, p.span = in.start(isolated(ctx), p.op.spanName, with(p.op.root, trace.WithLinks(links...)))
	if p.span.IsRecording() {
		p.span.SetAttributes(append(slices.Clone(shared.server.client), semconv.MessagingBatchMessageCount(len(deliveries)))...)
		if omitted > 0 {
			p.span.SetAttributes(linksOmittedKey.Int(omitted))
		}
	}
	for _, m := range members {
		if m.subscription != nil {
			m.subscription.c.processing(m.delivery.DeliveryTag, p.span.SpanContext())
		}
	}
	return p.ctx, p
}

// ProcessBatch calls handle within the process span of a batch, as Process does
// for one message. Without messages it does nothing.
func (in *Instrumentation) ProcessBatch(ctx context.Context, deliveries []amqp.Delivery, handle func(context.Context, []amqp.Delivery) error) error {
	if len(deliveries) == 0 {
		return nil
	}
	if handle == nil {
		return errNil
	}
	ctx, p := in.StartProcessBatch(ctx, deliveries)
	return p.run(func() error { return handle(ctx, deliveries) })
}

// member is one message of a batch.
type member struct {
	delivery     *amqp.Delivery
	destination  *destination
	subscription *subscription
	creation     trace.SpanContext
	doubled      int
}

// shared returns the destination of all members, or one without a name.
func (in *Instrumentation) shared(members []member) *destination {
	if len(members) == 0 {
		return in.unknown.destinationless()
	}
	first := members[0].destination
	for _, m := range members[1:] {
		if m.destination.raw != first.raw {
			return first.server.destinationless()
		}
	}
	return first
}

// batchLinks returns the links of a batch, no more than WithMaxLinks, and how
// many did not fit. The scope comes first, as there is only one.
func (in *Instrumentation) batchLinks(shared *destination, members []member, scope trace.SpanContext) (links []trace.Link, omitted int) {
	links = make([]trace.Link, 0, min(len(members)+1, in.maxLinks))
	if scope.IsValid() {
		links = append(links, trace.Link{SpanContext: scope})
	}
	for _, m := range members {
		switch {
		case !m.creation.IsValid():
		case len(links) == in.maxLinks:
			omitted++
		default:
			attrs := in.appendReceived(shared.missing(m.destination), m.delivery, m.doubled)
			links = append(links, trace.Link{SpanContext: m.creation, Attributes: attrs})
		}
	}
	return links, omitted
}

// missing returns what d does not say of the destination of one of its messages.
func (d *destination) missing(of *destination) []attribute.KeyValue {
	if d.name != "" {
		return nil
	}
	attrs := []attribute.KeyValue{semconv.MessagingDestinationName(of.name)}
	if of.raw.RoutingKey != "" {
		attrs = append(attrs, semconv.MessagingRabbitMQDestinationRoutingKey(text(of.raw.RoutingKey)))
	}
	return attrs
}
