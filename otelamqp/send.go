package otelamqp

import (
	"context"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/trace"
)

// sending is a message between its publishing and its end: the confirm where the
// channel has confirms, else the writing.
type sending struct {
	c     *Channel
	op    *operation
	ctx   context.Context
	span  trace.Span
	start time.Duration // from clock

	// What a return says again. Guarded by c.mu.
	exchange, key, messageID string
	headers                  amqp.Table
	returned                 *ReturnedError
}

// PublishConfirmed publishes a message and waits until the server confirms it.
// The channel must be in confirm mode. The error is ErrNacked when the server
// did not take the message, a *ReturnedError when it is mandatory and no queue
// took it. When ctx ends first, or the channel is closed, whether the server has
// the message is open.
func (c *Channel) PublishConfirmed(ctx context.Context, exchange, key string, mandatory bool, msg amqp.Publishing) error {
	if !c.usable() {
		return errNil
	}
	s, confirmation, err := c.send(orBackground(ctx), exchange, key, mandatory, false, msg)
	if err != nil {
		return err
	}
	if confirmation == nil {
		return ErrNotConfirmed
	}
	select {
	case <-confirmation.Done():
		err = c.outcome(s, confirmation)
	case <-s.ctx.Done():
		err = fmt.Errorf("wait for the confirm of a message to %s: %w", Destination{Exchange: exchange, RoutingKey: key}, context.Cause(s.ctx))
	}
	s.end(err)
	return err
}

// PublishWithDeferredConfirmWithContext is that of amqp091-go, with a send span.
// The span ends with the confirm, a moment after the confirmation is done; on a
// channel without confirms it ends at once.
func (c *Channel) PublishWithDeferredConfirmWithContext(ctx context.Context, exchange, key string, mandatory, immediate bool, msg amqp.Publishing) (*amqp.DeferredConfirmation, error) {
	if !c.usable() {
		return nil, errNil
	}
	s, confirmation, err := c.send(orBackground(ctx), exchange, key, mandatory, immediate, msg)
	if confirmation != nil {
		go func() {
			<-confirmation.Done()
			s.end(c.outcome(s, confirmation))
		}()
	}
	return confirmation, err
}

// PublishWithDeferredConfirm is PublishWithDeferredConfirmWithContext in a trace
// of its own.
func (c *Channel) PublishWithDeferredConfirm(exchange, key string, mandatory, immediate bool, msg amqp.Publishing) (*amqp.DeferredConfirmation, error) {
	return c.PublishWithDeferredConfirmWithContext(context.Background(), exchange, key, mandatory, immediate, msg)
}

// PublishWithContext is that of amqp091-go, with a send span, which ends like
// that of PublishWithDeferredConfirmWithContext.
func (c *Channel) PublishWithContext(ctx context.Context, exchange, key string, mandatory, immediate bool, msg amqp.Publishing) error {
	_, err := c.PublishWithDeferredConfirmWithContext(ctx, exchange, key, mandatory, immediate, msg)
	return err
}

// Publish is PublishWithContext in a trace of its own.
func (c *Channel) Publish(exchange, key string, mandatory, immediate bool, msg amqp.Publishing) error {
	return c.PublishWithContext(context.Background(), exchange, key, mandatory, immediate, msg)
}

// send starts a span and publishes. Without a confirmation the span has ended.
func (c *Channel) send(ctx context.Context, exchange, key string, mandatory, immediate bool, msg amqp.Publishing) (*sending, *amqp.DeferredConfirmation, error) {
	s := c.startSend(ctx, Destination{Exchange: exchange, RoutingKey: key}, &msg)
	if mandatory || immediate {
		c.expectReturn(s)
	}
	confirmation, err := c.Channel.PublishWithDeferredConfirmWithContext(ctx, exchange, key, mandatory, immediate, msg)
	if err != nil || confirmation == nil {
		s.end(err)
		return s, nil, err
	}
	return s, confirmation, nil
}

// startSend starts the send span of a message and writes its context into the
// message's headers, or keeps the one that is there.
func (c *Channel) startSend(ctx context.Context, d Destination, msg *amqp.Publishing) *sending {
	in, dest := c.server.in, c.server.destination(d)
	s := &sending{c: c, op: dest.op(operationSend), start: in.clock(ctx, in.instruments.operation), exchange: d.Exchange, key: d.RoutingKey, messageID: msg.MessageId}
	options := s.op.start
	var creation trace.SpanContext
	if ctx.Value(keepKey{}) != nil {
		if creation, _ = in.extractLink(msg.Headers); creation.IsValid() {
			options = withLinks(dest.op(operationSendCreated).start, creation)
		}
	}
	s.ctx, s.span = in.start(ctx, s.op.spanName, options)
	if !creation.IsValid() {
		msg.Headers = in.inject(s.ctx, msg.Headers)
	}
	if s.span.IsRecording() {
		s.span.SetAttributes(in.appendSent(slices.Clone(c.server.client), msg)...)
	}
	s.headers = msg.Headers
	return s
}

// end ends the span and counts the message, which came to err.
func (s *sending) end(err error) {
	in := s.c.server.in
	s.c.forget(s)
	m := s.op.of(err)
	in.measureDuration(s.ctx, in.instruments.operation, s.start, m)
	in.instruments.sent.Add(s.ctx, 1, m.add...)
	failSpan(s.span, err)
	s.span.End()
}

// outcome says what a confirmation that is done means.
func (c *Channel) outcome(s *sending, confirmation *amqp.DeferredConfirmation) error {
	if confirmation.Acked() {
		return c.returnOf(s)
	}
	if !c.IsClosed() {
		return ErrNacked
	}
	c.catchUp()
	if reason := c.failed.Load(); reason != nil {
		return fmt.Errorf("the channel was closed before the confirm: %w", reason)
	}
	return errClosed
}

// expectReturn keeps s until its end, as the server may return its message.
func (c *Channel) expectReturn(s *sending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mandatory = append(c.mandatory, s)
}

func (c *Channel) forget(s *sending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.mandatory, s); i >= 0 {
		c.mandatory = slices.Delete(c.mandatory, i, i+1)
	}
}

// returnOf says whether the message of s was returned. The server returns a
// message before it confirms it.
func (c *Channel) returnOf(s *sending) error {
	c.mu.Lock()
	expected := slices.Contains(c.mandatory, s)
	c.mu.Unlock()
	if !expected {
		return nil
	}
	c.catchUp()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.returned == nil {
		return nil
	}
	return s.returned
}

// noteReturn finds the message that came back. A return has no number: what it
// repeats of the message has to tell, first of all the context in the headers.
func (c *Channel) noteReturn(r *amqp.Return) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.mandatory {
		if s.returned == nil && s.isMessageOf(r) {
			s.returned = &ReturnedError{Code: r.ReplyCode, Text: r.ReplyText, Exchange: r.Exchange, RoutingKey: r.RoutingKey}
			return
		}
	}
}

func (s *sending) isMessageOf(r *amqp.Return) bool {
	if r.Exchange != s.exchange || r.RoutingKey != s.key || r.MessageId != s.messageID {
		return false
	}
	sent, back := TableCarrier{s.headers}, TableCarrier{r.Headers}
	return !slices.ContainsFunc(s.c.server.in.fields, func(f string) bool { return sent.Get(f) != back.Get(f) })
}

// start starts a span. Most spans of this package end in another function than
// the one that starts them.
func (in *Instrumentation) start(ctx context.Context, name string, options []trace.SpanStartOption) (context.Context, trace.Span) {
	return in.tracer.Start(ctx, name, options...) //nolint:spancheck // every caller ends its span, most of them in another function
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
