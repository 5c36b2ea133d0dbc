package services

import (
	"context"
	"sync"
	"time"

	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// send publishes an event as the faults of its order say: after another message, after one that nobody can read, or twice.
func (n *node) send(ctx context.Context, broker carrier.Broker, topic string, event *orderpb.Event) error {
	var acting []faults.Fault
	if n.allowFaults {
		var e Experiment
		if e, acting = n.hopFaults.acting(ctx, faults.Fault.ActsOnMessages); len(acting) > 0 {
			for _, f := range acting {
				n.fired.note(e, f)
			}
		}
	}
	times := 1
	for _, f := range acting {
		switch f.Kind {
		case faults.Reorder:
			n.overtaken.wait(ctx, topic, f.Wait())
		case faults.Poison:
			if err := broker.Publish(ctx, topic, poisoned(event)); err != nil {
				return err
			}
		case faults.Duplicate:
			times = 2
		}
	}
	for range times {
		if err := broker.Publish(ctx, topic, event); err != nil {
			return err
		}
	}
	n.overtaken.passed(topic)
	return nil
}

// poisoned returns a message that nobody can decode, with the key of an event.
func poisoned(event *orderpb.Event) *orderpb.Event {
	return &orderpb.Event{Order: &orderpb.Order{Id: event.GetOrder().GetId()}, Payload: carrier.PoisonPayload}
}

// overtaken makes messages wait until another of their topic was sent.
type overtaken struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{} // by topic
}

// wait waits until a message of the topic was sent, or the context or the time has ended.
func (o *overtaken) wait(ctx context.Context, topic string, most time.Duration) {
	passed := make(chan struct{})
	o.mu.Lock()
	if o.waiting == nil {
		o.waiting = map[string][]chan struct{}{}
	}
	o.waiting[topic] = append(o.waiting[topic], passed)
	o.mu.Unlock()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-passed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// passed wakes those who wait for a message of the topic.
func (o *overtaken) passed(topic string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, waiting := range o.waiting[topic] {
		close(waiting)
	}
	delete(o.waiting, topic)
}
