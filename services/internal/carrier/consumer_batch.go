package carrier

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// StartBatch begins the process span of messages that are handled together; end ends it, once.
type StartBatch func(ctx context.Context, of []Delivery) (processing context.Context, end func(error))

// Batch tells whether a message is handled together with others, by its topic and the baggage in the context.
func (c *Consumer) Batch(ctx context.Context, topic string) (Batch, bool) {
	if c.config.Batch == nil || c.start == nil {
		return Batch{}, false
	}
	return c.config.Batch(ctx, topic)
}

// TakeInBatch takes a message that is handled with others of its kind. done is called when the whole batch has been handled. It waits while there
// are too many, and reports false when the context ends first: then the message is not taken.
func (c *Consumer) TakeInBatch(ctx context.Context, kind Batch, d Delivery, done func(Outcome)) bool {
	return c.batches.add(ctx, kind, batched{Delivery: d, done: done})
}

// handleBatch handles messages together, under one process span. Those of one key are handled one after another, the others side by side. One
// that is tried again keeps its batch. A batch fails when one of its messages is not finished; a message that fails for good is its unit's
// failure, not the batch's.
func (c *Consumer) handleBatch(batch []batched, of *gathering) {
	deliveries := make([]Delivery, len(batch))
	byKey := map[string][]int{}
	for i, m := range batch {
		deliveries[i] = m.Delivery
		byKey[m.Key] = append(byKey[m.Key], i)
	}
	ctx, end := c.start(context.Background(), deliveries)
	for i := range deliveries {
		deliveries[i].Process = within(ctx, deliveries[i].Process)
	}
	outcomes := make([]Outcome, len(batch))
	var working sync.WaitGroup
	for key, places := range byKey {
		givenUp := of.givenUp[key]
		working.Go(func() {
			for _, i := range places {
				if givenUp && deliveries[i].Leaving.Err() != nil {
					outcomes[i] = Unfinished // the order of a key is kept where it goes
					continue
				}
				outcomes[i] = c.handle(ctx, deliveries[i], nil)
				givenUp = givenUp || outcomes[i] == Unfinished
			}
		})
	}
	working.Wait()
	for i, m := range batch {
		if outcomes[i] == Unfinished {
			of.givenUp[m.Key] = true
		}
	}
	end(unfinishedOf(outcomes))
	for i, m := range batch {
		m.done(outcomes[i])
	}
}

// within begins a message's span below that of its batch, also when it is handled again: then the span links to the attempt before.
func within(batch context.Context, process func(context.Context) (context.Context, func(error))) func(context.Context) (context.Context, func(error)) {
	span := trace.SpanFromContext(batch)
	return func(ctx context.Context) (context.Context, func(error)) {
		before := trace.SpanContextFromContext(ctx)
		ctx, end := process(trace.ContextWithSpan(ctx, span))
		if !before.Equal(span.SpanContext()) {
			trace.SpanFromContext(ctx).AddLink(trace.Link{SpanContext: before})
		}
		return ctx, end
	}
}

// unfinishedOf is how a batch fails: nil when all of its messages are finished.
func unfinishedOf(outcomes []Outcome) error {
	again := 0
	for _, outcome := range outcomes {
		if outcome == Unfinished {
			again++
		}
	}
	if again == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnfinished, Fail("", Unavailable, fmt.Sprintf("%d of %d messages come again", again, len(outcomes))))
}
