package carrier

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/orderpb"
)

const (
	// parkedFor says how many messages wait for their next attempt, or behind one that does, for each worker. When there are more, no further
	// message is taken.
	parkedFor = 32
	// unfinishedBackoff is the most that a message waits whose work could not be handed on, before it is handled for the second time. It waits
	// twice as much each time, up to longestUnfinished, until it is finished or the consumer ends.
	unfinishedBackoff = 100 * time.Millisecond
	longestUnfinished = 5 * time.Second
)

// KeyAttempt is the span attribute that tells which attempt at a message, or at a call, a span is: from 1 on.
const KeyAttempt = "tracelab.attempt"

// Consumer handles the messages that a broker delivers: a bounded number at a time, one at a time for each key, each in its
// process span. It works with any broker.
//
// A message that is to be handled again waits without a worker: messages of other keys go on, those behind it in its key wait for it, so that
// the order of a key is kept until it is done or put with the dead letters. When it goes to another consumer meanwhile, they go there, too.
type Consumer struct {
	config   BrokerConfig
	keys     keyed
	batches  *batches
	start    StartBatch // nil: the broker's client has none
	delivery deliveryTime
	log      *slog.Logger
	skipped  atomic.Int64
	dead     atomic.Int64
}

// Delivery is one message as a broker delivers it.
type Delivery struct {
	Topic   string // without the prefix
	Key     string
	Value   []byte
	Sent    time.Time // by the producer's clock
	Baggage []string  // the message's baggage headers
	// Process begins the process span of an attempt, or within a batch the span of this message: the context gets the span and the message's
	// baggage. end ends it, once. A span in ctx is that of the attempt before, to which the new one links, or of the batch.
	Process func(ctx context.Context) (processing context.Context, end func(error))
	// Where returns the message's position for the log, as slog's arguments.
	Where func() []any
	// History is what the message's headers say of attempts before it was redriven.
	History History
	// DeadLetter puts the message with the dead letters and returns when the broker has it.
	DeadLetter func(ctx context.Context, death Death) error
	// Leaving ends when the message is no longer this consumer's, or is not to be waited for any more: then it is not handled again.
	Leaving context.Context
	// Message is the broker's own, for the process span of a batch.
	Message any
}

// NewConsumer makes a consumer. Start begins the spans of batches; nil for a broker that has none.
func NewConsumer(config BrokerConfig, start StartBatch) (*Consumer, error) {
	delivery, err := newDeliveryTime(config)
	if err != nil {
		return nil, err
	}
	c := &Consumer{config: config, keys: newKeyed(config.Workers, Parked(config.Workers)), delivery: delivery, log: config.Provider.Log, start: start}
	c.batches = newBatches(c.handleBatch)
	return c, nil
}

// Parked is how many messages a consumer with so many workers holds beside those that are worked on.
func Parked(workers int) int { return parkedFor * workers }

// Room waits until the consumer can take a message and says how many it can take; 0 when the context ends.
func (c *Consumer) Room(ctx context.Context) int { return c.keys.room(ctx) }

// Take takes a message. done is called when the work on it has ended.
func (c *Consumer) Take(ctx context.Context, d Delivery, done func(Outcome)) {
	c.keys.run(d.Leaving, d.Key, func(p *piece) { done(c.handle(ctx, d, p)) })
}

// Wait waits until no work is left: batches do not wait for company any more. Nobody may call Take any more.
func (c *Consumer) Wait(ctx context.Context) error {
	return errors.Join(c.batches.finish(ctx), c.keys.wait(ctx))
}

// Held is how many messages were taken and are not done with.
func (c *Consumer) Held() int { return c.keys.held() + len(c.batches.places) }

// Skipped counts the messages that could not be decoded.
func (c *Consumer) Skipped() int64 { return c.skipped.Load() }

// Dead counts the messages that were put with the dead letters, those that could not be decoded among them.
func (c *Consumer) Dead() int64 { return c.dead.Load() }

// Skip counts a message, or a batch of them, that the broker's client could not read.
func (c *Consumer) Skip() { c.skipped.Add(1) }

// handle does one message, in as many attempts as it takes.
func (c *Consumer) handle(ctx context.Context, d Delivery, p *piece) Outcome {
	if h := d.History; h.Redriven > 0 && h.Consumer != "" && h.Consumer != c.config.Service {
		return Finished // another service had given it up
	}
	if d.Leaving.Err() != nil && p.behindGivenUp() {
		return Unfinished // who gets the message before it gets this one, too
	}
	first := time.Now()
	attempt, last := d.History.Attempts+1, d.History.Last
	for tries := 1; ; tries++ {
		outcome, span, again := c.attempt(ctx, d, first, attempt, tries, last)
		if again < 0 {
			return outcome
		}
		if p.park(); !wait(d.Leaving, again) || !p.resume(d.Leaving) {
			p.giveUp()
			return Unfinished
		}
		if outcome != Unfinished { // its work has failed, not what should have taken it over
			attempt++
		}
		last = span
	}
}

// wait reports false when the context ends before the time has passed.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// attempt handles a message once, under a process span that links to the last attempt. again is how long to wait before the next one; less
// than 0 for none.
func (c *Consumer) attempt(ctx context.Context, d Delivery, first time.Time, attempt, tries int, last trace.SpanContext) (outcome Outcome, span trace.SpanContext, again time.Duration) {
	labels := c.config.Provider.Labels
	ctx = labels.Order(ctx, d.Baggage...)
	defer labels.Service() // after the span's end
	if last.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, last)
	}
	ctx, end := d.Process(ctx)
	ctx = withSent(withBefore(ctx, d.History.Attempts), d.Sent)
	ctx = withFirst(WithAttempt(WithRedriven(ctx, d.History.Redriven > 0), attempt), first)
	current := trace.SpanFromContext(ctx)
	if attempt > 1 || slices.Contains(c.config.Retried, d.Topic) {
		current.SetAttributes(attribute.Int(KeyAttempt, attempt))
	}
	span = current.SpanContext()
	if tries == 1 {
		c.delivery.record(ctx, d)
	}
	event, err := DecodeEvent(d.Value)
	if err != nil {
		if tries == 1 {
			c.skipped.Add(1)
			c.log.ErrorContext(ctx, "message skipped: it cannot be decoded", append(d.Where(), "error", err)...)
		}
		err = &DeadError{Err: err}
	} else {
		err = c.recovered(ctx, d.Topic, event)
	}
	dead, isDead := errors.AsType[*DeadError](err)
	if isDead {
		err = c.bury(ctx, d, attempt, dead)
	}
	end(err)
	if repeat, ok := errors.AsType[*AgainError](err); ok {
		return Finished, span, repeat.After
	}
	if errors.Is(err, ErrUnfinished) {
		return Unfinished, span, unfinishedPause(tries)
	}
	return Finished, span, -1
}

// bury puts a message with the dead letters and tells those who wait for it. Its error is that of the last attempt, unless it could not be done.
func (c *Consumer) bury(ctx context.Context, d Delivery, attempt int, dead *DeadError) error {
	if d.DeadLetter != nil {
		if err := d.DeadLetter(ctx, Death{Topic: d.Topic, Consumer: c.config.Service, Attempts: attempt, Cause: dead.Err}); err != nil {
			return errors.Join(ErrUnfinished, err)
		}
	}
	c.dead.Add(1)
	if dead.Then != nil {
		if err := dead.Then(ctx); err != nil {
			return err
		}
	}
	return dead.Err
}

// unfinishedPause is how long a message waits that could not be finished for so many times.
func unfinishedPause(tries int) time.Duration {
	bound := min(unfinishedBackoff<<min(tries-1, 10), longestUnfinished)
	return bound/2 + rand.N(bound/2) //nolint:gosec // a jitter
}

// recovered handles an event. A panic fails this message, not the process and with it all the others.
func (c *Consumer) recovered(ctx context.Context, topic string, event *orderpb.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.ErrorContext(ctx, "handler panicked", "panic", p, "stack", string(debug.Stack()))
			err = Fail("", Internal, "the service has a bug; its log says more")
		}
	}()
	return c.config.Handle(ctx, topic, event)
}
