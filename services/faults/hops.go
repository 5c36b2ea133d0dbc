package faults

import (
	"fmt"
	"time"
)

// Kinds of faults of a service's outgoing hops, whatever carries them. They act on what is sent, not on the step.
const (
	DropContext       = "drop-context"
	DropBaggage       = "drop-baggage"
	DoubleTraceparent = "double-traceparent"
	Unsample          = "unsample"
	Duplicate         = "duplicate"
	Reorder           = "reorder"
	Poison            = "poison"
)

const (
	defaultReorder = time.Second
	maxReorder     = 10 * time.Second
)

// hopKinds are the kinds that act on hops.
func hopKinds() []kind {
	return []kind{
		{name: DropContext, usage: "drop-context: what the service sends has no trace context", check: noValue},
		{name: DropBaggage, usage: "drop-baggage: what it sends has no baggage", check: noValue},
		{name: DoubleTraceparent, usage: "double-traceparent: what it sends names two parents (not over RabbitMQ, whose headers are unique)", check: noValue},
		{name: Unsample, usage: "unsample: what it sends says that the trace is not sampled", check: noValue},
		{name: Duplicate, usage: "duplicate: it sends each message twice", check: noValue},
		{name: Reorder, usage: "reorder[=DURATION]: its message waits until another of its topic has overtaken it, at most that long (1s)", check: func(value string) error {
			_, err := reorderWait(value)
			return err
		}},
		{name: Poison, usage: "poison: a message that nobody can read, with the same key, goes before its message", check: noValue},
	}
}

func noValue(value string) error {
	if value != "" {
		return fmt.Errorf("value %q: this kind takes none", value)
	}
	return nil
}

func reorderWait(value string) (time.Duration, error) {
	if value == "" {
		return defaultReorder, nil
	}
	return positive(value, maxReorder)
}

// Wait is how long a message that is to be overtaken waits at the most.
func (f Fault) Wait() time.Duration {
	d, err := reorderWait(f.Value)
	if err != nil { // Parse refuses it
		return defaultReorder
	}
	return d
}

// ActsOnMessages tells whether the fault acts on messages only.
func (f Fault) ActsOnMessages() bool {
	return f.Kind == Duplicate || f.Kind == Reorder || f.Kind == Poison
}
