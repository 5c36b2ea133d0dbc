package services

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

const (
	// carryOnTimeout bounds what is carried on behind an answer, unless the flow has a timeout: the client's deadline says nothing about it.
	carryOnTimeout = 30 * time.Second
	// replyTimeout is how long a client's call is kept open for a reply: less than clients wait by default.
	replyTimeout = 4 * time.Second
)

// mailbox holds the orders that are carried on with after their client has its answer, in memory: what is in it is lost with the process.
type mailbox struct {
	places  chan struct{} // one for each order, waiting or worked on
	workers chan struct{} // one for each order that is worked on
	timeout time.Duration // of what is carried on with, by calls
	life    context.Context
	end     context.CancelFunc // of life

	mu      sync.Mutex     // held while work begins, and while life ends: none begins behind it
	working sync.WaitGroup // one for each work that has begun
}

func newMailbox(places, workers int, timeout time.Duration) *mailbox {
	m := &mailbox{places: make(chan struct{}, places), workers: make(chan struct{}, max(1, workers)), timeout: timeout}
	m.life, m.end = context.WithCancel(context.Background())
	return m
}

// reserve takes a place, if there is one. It is given back by release, or when what is posted has ended.
func (m *mailbox) reserve() bool {
	select {
	case m.places <- struct{}{}:
		return true
	default:
		return false
	}
}

func (m *mailbox) release() { <-m.places }

// post lets a worker carry on with an order that has a place. The context's deadline is not that of the work.
func (m *mailbox) post(ctx context.Context, work func(context.Context)) {
	if !m.begin() {
		m.release()
		return
	}
	go func() {
		defer m.working.Done()
		defer m.release()
		select {
		case m.workers <- struct{}{}:
		case <-m.life.Done():
			return
		}
		defer func() { <-m.workers }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.timeout)
		defer cancel()
		defer context.AfterFunc(m.life, cancel)()
		work(ctx)
	}()
}

// beside does work that nobody waits for, without a place and a worker. The context's deadline is not that of the work.
func (m *mailbox) beside(ctx context.Context, timeout time.Duration, work func(context.Context)) {
	if !m.begin() {
		return
	}
	go func() {
		defer m.working.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		defer context.AfterFunc(m.life, cancel)()
		work(ctx)
	}()
}

// begin counts work that begins. It reports false once the mailbox has stopped.
func (m *mailbox) begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life.Err() != nil {
		return false
	}
	m.working.Add(1)
	return true
}

// kill gives up what is in the mailbox. What is posted later is given up at once.
func (m *mailbox) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end()
}

// stop gives up what is in the mailbox and waits until nobody works on it.
func (m *mailbox) stop(ctx context.Context) error {
	m.kill()
	stopped := make(chan struct{})
	go func() { m.working.Wait(); close(stopped) }()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("mailbox: orders still in work are lost: %w", context.Cause(ctx))
	}
}

// keyCarryOn marks the span of what is carried on from a mailbox. Its parent has ended: what lies between is the wait in the mailbox.
const keyCarryOn = "tracelab.carry_on"

// carryOnLater makes the calls that the client's answer did not wait for.
func (k *keeper) carryOnLater(ctx context.Context, x *execution, id string) {
	ctx, span := k.telemetry.Tracer.Start(ctx, "carry on", trace.WithAttributes(attribute.Bool(keyCarryOn, true)))
	defer span.End()
	x.only = nil
	if _, err := k.take(ctx, x, id); errors.Is(err, errHandOver) {
		k.telemetry.Log.ErrorContext(ctx, "an accepted order cannot be handed over, and stays pending", "id", id, "error", err)
	}
}

// awaitReply keeps the client's call open until the order is final. When no reply comes in time the work goes on all the same.
func (k *keeper) awaitReply(ctx context.Context, en *entry) (*orderpb.Receipt, error) {
	last := string(k.flow.Last())
	waiting, cancel := context.WithTimeoutCause(ctx, replyTimeout, errNoReply)
	defer cancel()
	k.awaitEnd(waiting, en)
	switch err := context.Cause(waiting); {
	case errors.Is(err, errNoReply):
		return nil, carrier.Fail(last, carrier.Timeout, fmt.Sprintf("no reply within %v; the work goes on: ask at the address of this %s", replyTimeout, k.flow.Unit))
	case err != nil:
		return nil, carrier.AsFailed(last, err)
	}
	u, err := k.ledger.store.Get(ctx, en.unit.ID)
	if errors.Is(err, store.ErrUnknown) {
		return nil, carrier.Fail(last, carrier.Unavailable, "the "+k.flow.Unit+" is not remembered any more")
	}
	if err != nil {
		return nil, k.ledger.storeFailed(err)
	}
	answer := answerOf(u)
	return answer.answer, failureOf(answer)
}

// errNoReply ends the wait for a reply.
var errNoReply = errors.New("no reply in time")

const (
	// replyLook is the time between two looks for the end of an order that another instance may bring about, where no message tells of it.
	replyLook = 25 * time.Millisecond
	// replyCheck is that time where a message does: it may be lost with the process that was to send it.
	replyCheck = time.Second
)

// awaitEnd waits until an order is final, or ctx ends. Where other instances share the store, the store is asked as well.
func (k *keeper) awaitEnd(ctx context.Context, en *entry) {
	var look <-chan time.Time
	if k.ledger.about.Shared {
		every := replyLook
		if replyCarrier(k.flow.Flow, Form(en.unit.Form)) != "" {
			every = replyCheck
		}
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		look = ticker.C
	}
	asking := trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // a span for each look would tell of nothing
	for {
		select {
		case <-en.ended:
			return
		case <-ctx.Done():
			return
		case <-look:
			if u, err := k.ledger.store.Get(asking, en.unit.ID); err == nil && u.Final {
				return
			}
		}
	}
}

// failureOf is the failure that was answered, or nil.
func failureOf(en *entry) error {
	if en.failed == nil {
		return nil
	}
	return en.failed
}
