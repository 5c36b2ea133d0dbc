package otelamqp

import (
	"context"
	"maps"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// maxUnsettled is how many deliveries of a channel are kept in mind until they
// are acknowledged. Further ones are acknowledged without links.
const maxUnsettled = 1 << 16

// unsettled is a delivery that nobody has acknowledged.
type unsettled struct {
	tag         uint64
	destination *destination
	headers     amqp.Table
	// process is the span that handles or handled it.
	process trace.SpanContext
}

// track keeps a delivery in mind until it is acknowledged.
func (c *Channel) track(tag uint64, u *unsettled) {
	u.tag = tag
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unsettled != nil && len(c.unsettled) < maxUnsettled {
		c.unsettled[tag] = u
	}
}

// processing notes which span handles a delivery.
func (c *Channel) processing(tag uint64, span trace.SpanContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.unsettled[tag]; u != nil {
		u.process = span
	}
}

// settled takes out what an acknowledgement is for, in the order of delivery.
func (c *Channel) settled(tag uint64, multiple bool) []*unsettled {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !multiple {
		u := c.unsettled[tag]
		if u == nil {
			return nil
		}
		delete(c.unsettled, tag)
		return []*unsettled{u}
	}
	var all []*unsettled
	for _, t := range slices.Sorted(maps.Keys(c.unsettled)) {
		if tag == 0 || t <= tag { // 0 means all
			all = append(all, c.unsettled[t])
			delete(c.unsettled, t)
		}
	}
	return all
}

// Ack is that of amqp091-go, with a span. The span over one message is a child
// of its process span; that over several is the root of its own trace, with a
// link to the creation context of each.
func (c *Channel) Ack(tag uint64, multiple bool) error {
	return c.settle(operationAck, tag, multiple, func() error { return c.Channel.Ack(tag, multiple) })
}

// Nack is that of amqp091-go, with a span like that of Ack.
func (c *Channel) Nack(tag uint64, multiple, requeue bool) error {
	return c.settle(operationNack, tag, multiple, func() error { return c.Channel.Nack(tag, multiple, requeue) })
}

// Reject is that of amqp091-go, with a span like that of Ack.
func (c *Channel) Reject(tag uint64, requeue bool) error {
	return c.settle(operationReject, tag, false, func() error { return c.Channel.Reject(tag, requeue) })
}

// settle sends an acknowledgement, which the server does not answer.
func (c *Channel) settle(k operationKind, tag uint64, multiple bool, send func() error) error {
	if !c.usable() {
		return errNil
	}
	messages := c.settled(tag, multiple)
	start := time.Now()
	err := send()
	end := time.Now()
	in, ctx := c.server.in, context.Background()
	dest := c.sharedBy(messages)
	op := dest.op(k)
	in.instruments.operation.Record(ctx, end.Sub(start).Seconds(), op.of(err).record...)
	if !in.settleSpans.wants(err) {
		return err
	}
	span := c.settleSpan(ctx, op, dest, messages, multiple, start)
	if span.IsRecording() {
		span.SetAttributes(c.server.client...)
		if !multiple {
			span.SetAttributes(semconv.MessagingRabbitMQMessageDeliveryTag(int(tag)))
		}
	}
	failSpan(span, err)
	span.End(trace.WithTimestamp(end))
	return err
}

// settleSpan starts the span of an acknowledgement.
func (c *Channel) settleSpan(ctx context.Context, op *operation, dest *destination, messages []*unsettled, multiple bool, start time.Time) trace.Span {
	in := c.server.in
	if !multiple && len(messages) == 1 && messages[0].process.IsValid() {
		_, span := in.start(trace.ContextWithSpanContext(ctx, messages[0].process), op.spanName, with(op.start, trace.WithTimestamp(start)))
		return span
	}
	links, omitted := c.settleLinks(dest, messages)
	_, span := in.start(ctx, op.spanName, append(slices.Clip(op.root), trace.WithTimestamp(start), trace.WithLinks(links...)))
	if span.IsRecording() {
		if multiple {
			span.SetAttributes(semconv.MessagingBatchMessageCount(len(messages)))
		}
		if omitted > 0 {
			span.SetAttributes(linksOmittedKey.Int(omitted))
		}
	}
	return span
}

// settleLinks returns a link to the creation context of each message, no more
// than WithMaxLinks, and how many did not fit.
func (c *Channel) settleLinks(dest *destination, messages []*unsettled) (links []trace.Link, omitted int) {
	in := c.server.in
	for _, u := range messages {
		creation, _ := in.extractLink(u.headers)
		switch {
		case !creation.IsValid():
		case len(links) == in.maxLinks:
			omitted++
		default:
			attrs := append(dest.missing(u.destination), semconv.MessagingRabbitMQMessageDeliveryTag(int(u.tag)))
			links = append(links, trace.Link{SpanContext: creation, Attributes: attrs})
		}
	}
	return links, omitted
}

// sharedBy returns the destination of all messages, or one without a name.
func (c *Channel) sharedBy(messages []*unsettled) *destination {
	if len(messages) == 0 {
		return c.server.destinationless()
	}
	for _, u := range messages[1:] {
		if u.destination.raw != messages[0].destination.raw {
			return c.server.destinationless()
		}
	}
	return messages[0].destination
}
