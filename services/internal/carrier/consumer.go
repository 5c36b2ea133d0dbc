package carrier

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"tracelab/services/internal/orderpb"
)

// Consumer handles the messages that a broker delivers: a bounded number at a time, one at a time for each key, each in its
// process span. It works with any broker.
type Consumer struct {
	config   BrokerConfig
	keys     keyed
	delivery deliveryTime
	log      *slog.Logger
	skipped  atomic.Int64
}

// Delivery is one message as a broker delivers it.
type Delivery struct {
	Topic   string // without the prefix
	Key     string
	Value   []byte
	Sent    time.Time // by the producer's clock
	Baggage []string  // the message's baggage headers
	// Process begins the process span: the context gets the span and the message's baggage. end ends it, once.
	Process func(ctx context.Context) (processing context.Context, end func(error))
	// Where returns the message's position for the log, as slog's arguments.
	Where func() []any
}

// NewConsumer makes a consumer.
func NewConsumer(config BrokerConfig) (*Consumer, error) {
	delivery, err := newDeliveryTime(config)
	if err != nil {
		return nil, err
	}
	return &Consumer{config: config, keys: newKeyed(config.Workers), delivery: delivery, log: config.Provider.Log}, nil
}

// Room waits until the consumer can take a message and says how many it can take; 0 when the context ends.
func (c *Consumer) Room(ctx context.Context) int { return c.keys.room(ctx) }

// Take takes a message. done is called when the work on it has ended.
func (c *Consumer) Take(ctx context.Context, d Delivery, done func(Outcome)) {
	c.keys.run(d.Key, func() { done(c.handle(ctx, d)) })
}

// Wait waits until no work is left. Nobody may call Take any more.
func (c *Consumer) Wait(ctx context.Context) error { return c.keys.wait(ctx) }

// Skipped counts the messages that could not be decoded.
func (c *Consumer) Skipped() int64 { return c.skipped.Load() }

// Skip counts a message, or a batch of them, that the broker's client could not read.
func (c *Consumer) Skip() { c.skipped.Add(1) }

// handle does one message under its process span.
func (c *Consumer) handle(ctx context.Context, d Delivery) Outcome {
	labels := c.config.Provider.Labels
	ctx = labels.Order(ctx, d.Baggage...)
	defer labels.Service() // after the span's end
	ctx, end := d.Process(ctx)
	c.delivery.record(ctx, d)
	event, err := decodeEvent(d.Value)
	if err != nil {
		c.skipped.Add(1)
		c.log.ErrorContext(ctx, "message skipped: it cannot be decoded", append(d.Where(), "error", err)...)
		end(err)
		return Unreadable
	}
	err = c.recovered(ctx, d.Topic, event)
	end(err)
	if errors.Is(err, ErrUnfinished) {
		return Unfinished
	}
	return Finished
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
