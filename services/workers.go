package services

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	carriergrpc "tracelab/services/internal/carrier/grpc"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// queueRetryAfter is when a call that a full queue refused may come again.
const queueRetryAfter = time.Second

// workers bound how many calls and messages a service works on at a time. A call or a message holds its worker until it is answered, also
// while the service waits for others: as a thread for each request would. nil: no bound.
type workers struct {
	service string
	free    chan struct{} // has an element for each that is busy
	queue   int           // calls that may wait; 0: all
	waiting atomic.Int64  // calls
}

func newWorkers(service string, most, queue int) *workers {
	return &workers{service: service, free: make(chan struct{}, most), queue: queue}
}

// call takes a worker for a call, or refuses the call at once when the queue is full. A call whose deadline passes while it waits is not
// begun. release gives the worker back.
func (w *workers) call(ctx context.Context) (release func(), failed *carrier.Failed) {
	if w == nil {
		return func() {}, nil
	}
	select {
	case w.free <- struct{}{}:
		return w.release, nil
	default:
	}
	if waiting := w.waiting.Add(1); w.queue > 0 && waiting > int64(w.queue) {
		w.waiting.Add(-1)
		failed := carrier.Fail("", carrier.QueueFull, fmt.Sprintf("the %d workers of %s are busy and its queue has %d places: come again later, or give it more workers", cap(w.free), w.service, w.queue))
		failed.RetryAfter = queueRetryAfter
		return nil, failed
	}
	defer w.waiting.Add(-1)
	return w.wait(ctx)
}

// message takes a worker for a message, which has waited with its broker.
func (w *workers) message(ctx context.Context) (release func(), failed *carrier.Failed) {
	if w == nil {
		return func() {}, nil
	}
	return w.wait(ctx)
}

func (w *workers) wait(ctx context.Context) (release func(), failed *carrier.Failed) {
	select {
	case w.free <- struct{}{}:
	case <-ctx.Done():
		return nil, carrier.AsFailed("", context.Cause(ctx))
	}
	if err := timeOver(ctx); err != nil { // both were ready
		w.release()
		return nil, carrier.AsFailed("", err)
	}
	return w.release, nil
}

func (w *workers) release() { <-w.free }

// newWorkersOf makes the workers of a service, as the command line or the flow's file says; nil when neither does.
func newWorkersOf(service string, config Config) *workers {
	limits := config.flow().Limits(service)
	most := cmp.Or(config.WorkersOf[service], limits.Workers)
	if most == 0 && limits.Queue > 0 {
		most = cmp.Or(config.Workers, DefaultWorkers)
	}
	if most == 0 {
		return nil
	}
	return newWorkers(service, most, limits.Queue)
}

// recordsAtATime is how many messages of a broker the service works on: no more than it has workers.
func (n *node) recordsAtATime(config Config) int {
	if n.workers == nil {
		return config.Workers
	}
	return cap(n.workers.free)
}

// answer gives a call a worker and lets the method answer it. A call that nobody waits for any more is not begun.
func (n *node) answer(ctx context.Context, step Step, event *orderpb.Event, method carriergrpc.Method) (*orderpb.Receipt, error) {
	ctx = carrier.WithAttempt(ctx, max(1, int(event.GetAttempt())))
	release, failed := n.workers.call(ctx)
	if failed == nil && n.flow.HasDeadlines() {
		if err := timeOver(ctx); err != nil {
			release()
			failed = notBegun(err)
		}
	}
	if failed == nil {
		defer release()
		return method(ctx, event)
	}
	e, err := experimentOf(ctx, n.flow.Flow)
	if n.keeper != nil && step == n.flow.Entry() {
		form := e.Form
		if err != nil {
			form = otherForm
		}
		n.keeper.metrics.count(ctx, form, Refused)
	}
	return nil, n.refuse(ctx, e, step, failed)
}

// receive gives a message a worker and handles it. The entry's service has no worker for messages: its calls may wait for one of them.
func (n *node) receive(ctx context.Context, by flows.Carrier, topic string, event *orderpb.Event) error {
	if n.keeper == nil {
		release, failed := n.workers.message(ctx)
		if failed != nil {
			return fmt.Errorf("%w: %w", carrier.ErrUnfinished, failed)
		}
		defer release()
	}
	return n.consume(ctx, by, topic, event)
}
