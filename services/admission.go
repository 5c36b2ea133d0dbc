package services

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// A service with a bounded queue refuses calls beyond it. Messages wait at their broker, which has room for all, so the bound is enforced where
// orders come in. The service of the entry step refuses an order, before anything is done for it, when as many messages wait for a step that the
// order passes through as its queue has places. Once accepted, an order is done.

const (
	// backlogLook is how old what is known of a backlog may be while orders come; the orders that were let in meanwhile are added.
	backlogLook = 20 * time.Millisecond
	// backlogStale is the age from which a backlog refuses nobody: an order waits for the next look.
	backlogStale = 100 * time.Millisecond
	// backlogWait bounds that wait. An unknown backlog refuses no order.
	backlogWait = 250 * time.Millisecond
	// lookTimeout bounds a look.
	lookTimeout = time.Second
)

// backlogs are what is known of the messages that wait for services, by the queues that have an end.
type backlogs struct {
	mu    sync.Mutex
	of    map[queueKey]*backlog
	looks sync.WaitGroup
}

type queueKey struct {
	by             flows.Carrier
	topic, service string
}

// backlog is what is known of one queue.
type backlog struct {
	waiting  int           // at the last look
	admitted int           // orders let in since it began
	at       time.Time     // when it began
	looking  chan struct{} // closed when the look that goes on has ended; nil: none does
	since    int           // orders let in since that one began
}

// bounded tells whether messages wait for the service in a queue that has an end.
func (n *node) bounded() bool { return n.keeper == nil && n.flow.Limits(n.name).Queue > 0 }

// admit lets an order in, or refuses it because too many messages wait for one of its steps.
func (k *keeper) admit(ctx context.Context, e Experiment, plan *flows.Plan) error {
	var keys []queueKey
	for _, hop := range plan.Hops {
		limits := k.flow.Limits(hop.Step.Service())
		if !hop.By.IsMessage() || limits.Queue == 0 || hop.Step.Service() == k.name {
			continue
		}
		key := queueKey{hop.By, hop.Topic, hop.Step.Service()}
		if waiting := k.backlogs.waiting(ctx, key, k.look); waiting >= limits.Queue {
			failed := carrier.Fail(string(hop.Step), carrier.QueueFull, fmt.Sprintf("%d messages wait for %s, and its queue has %d places: come again later, or give it more workers", waiting, key.service, limits.Queue))
			failed.RetryAfter = queueRetryAfter
			return k.refuse(ctx, e, hop.Step, failed)
		}
		keys = append(keys, key)
	}
	k.backlogs.admitted(keys)
	return nil
}

// look asks a broker how many messages wait in a queue.
func (k *keeper) look(key queueKey) (int, error) {
	broker := k.brokers[key.by]
	if broker == nil {
		return 0, nil // the order is told of that
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	return broker.Backlog(ctx, key.topic, key.service, k.workersAt[key.service])
}

// workersAt is how many messages each service works on at a time, with all instances of it that the configuration names.
func workersAt(config Config) map[string]int {
	all := map[string]int{}
	for _, service := range config.flow().Services() {
		most := config.Workers
		if w := newWorkersOf(service, config); w != nil {
			most = cap(w.free)
		}
		all[service] = most * (1 + strings.Count(config.HTTP[service], ","))
	}
	return all
}

// admitted notes that an order was let in that leads a message to each of the queues.
func (b *backlogs) admitted(keys []queueKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if known := b.of[key]; known != nil {
			known.admitted++
			known.since++
		}
	}
}

// waiting is how many messages wait in a queue, as far as is known. It begins a look where the last one is old, and waits for it where that says
// nothing any more.
func (b *backlogs) waiting(ctx context.Context, key queueKey, look func(queueKey) (int, error)) int {
	b.mu.Lock()
	if b.of == nil {
		b.of = map[queueKey]*backlog{}
	}
	known := b.of[key]
	if known == nil {
		known = &backlog{}
		b.of[key] = known
	}
	age := time.Since(known.at)
	if age >= backlogLook && known.looking == nil {
		known.looking, known.since = make(chan struct{}), 0
		b.looks.Go(func() { b.refresh(key, known, time.Now(), look) })
	}
	waiting, looking := known.waiting+known.admitted, known.looking
	b.mu.Unlock()
	if age < backlogStale {
		return waiting
	}
	timer := time.NewTimer(backlogWait)
	defer timer.Stop()
	select {
	case <-looking:
	case <-timer.C:
		return 0
	case <-ctx.Done():
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return known.waiting + known.admitted
}

// refresh looks at a queue.
func (b *backlogs) refresh(key queueKey, known *backlog, began time.Time, look func(queueKey) (int, error)) {
	waiting, err := look(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil { // it is not known
		waiting, known.since = 0, 0
	}
	known.waiting, known.admitted, known.at = waiting, known.since, began
	close(known.looking)
	known.looking = nil
}
