package services

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tracelab/internal/vocabulary"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// Status is where an order stands, as far as orders has heard.
type Status string

// An order is accepted until it is completed or failed; those two are final.
const (
	Accepted  Status = "accepted"
	Completed Status = "completed"
	Failed    Status = "failed"
)

// State is what the service that keeps the accounts knows of one order: the body of GET /orders/{id}. See MarshalJSON for its names.
type State struct {
	ID     string
	Status Status
	Run    string
	Form   Form
	Number int
	// Body has the fields that were placed. In JSON they stand beside the others.
	Body     map[string]any
	Steps    []Step // done, as far as orders has heard
	Failures []StepFailure
}

// StepFailure is a step that failed, and why.
type StepFailure struct {
	Step   string `json:"step"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	// Attempts is how many failed; 0 for one. DeadLetter says that the message that led to the step is with the dead letters.
	Attempts   int  `json:"attempts,omitempty"`
	DeadLetter bool `json:"dead_letter,omitempty"`
}

// CutOff tells whether the step failed because its caller gave up or could not reach it. Such a step may have begun
// all the same.
func (f StepFailure) CutOff() bool {
	return f.Reason == carrier.Cancelled || f.Reason == carrier.Timeout || f.Reason == carrier.Unavailable
}

// Refused tells whether the step was not begun, because there was no room for the call: a breaker, a bulkhead or a queue refused it.
func (f StepFailure) Refused() bool { return carrier.Refused(f.Reason) }

// ledger keeps the state of all orders in a store. It decides; the store remembers, and has a limit: the oldest final orders are forgotten first,
// then the oldest that have been pending for store.PendingFor; when neither is there, no order is accepted. What is forgotten stays in the sums.
type ledger struct {
	flow    *flows.Flow
	store   store.Store
	about   store.About
	limit   int       // of orders to remember
	started time.Time // in this process

	mu      sync.Mutex
	waiting map[string]chan struct{} // by the id of an order whose client's call is open: closed when the order is final
}

// storeTimeout is how long a caller waits for the store, whatever becomes of the caller: what was done is noted all the same. A consumer, whose
// context has no end, waits until the store is closed.
const storeTimeout = 5 * time.Second

// entry is one order while its placement is being worked on.
type entry struct {
	unit     *store.Unit
	accepted bool
	ended    <-chan struct{} // closed when the order is final; nil when nobody waits for that
	answer   *orderpb.Receipt
	failed   *carrier.Failed
}

func newLedger(flow *flows.Flow, s store.Store, limit int) *ledger {
	return &ledger{flow: flow, store: s, about: s.About(), limit: limit, started: time.Now(), waiting: map[string]chan struct{}{}}
}

// bounded is the context of a question to the store: it does not end with the caller's.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Done() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// storeFailed is the failure of whoever asked the store.
func (l *ledger) storeFailed(err error) *carrier.Failed {
	switch {
	case errors.Is(err, store.ErrFull):
		return carrier.Fail("", carrier.Full, fmt.Sprintf("%[1]s has room for %[2]d %[3]s and all are pending: place it again later, or give %[1]s more memory", l.flow.Entry().Service(), l.limit, vocabulary.Plural(l.flow.Unit)))
	case errors.Is(err, store.ErrOutboxFull):
		return carrier.Fail("", carrier.Full, "the outbox of "+l.flow.Entry().Service()+" is full: the broker takes no messages, so place it again later")
	case errors.Is(err, store.ErrNotReserved):
		return keyInUse()
	}
	return carrier.Fail("", carrier.Unavailable, err.Error())
}

// begin starts a placement. With a key that was used before it returns the answer of that time and replay, or a failure
// when the first is still in flight or had another body.
func (l *ledger) begin(ctx context.Context, e Experiment, key string, request *orderpb.Order, id string) (begun *entry, replay bool, failed *carrier.Failed) {
	if strings.ContainsRune(e.Run, 0) {
		return nil, false, carrier.Fail("", carrier.BadRequest, "baggage "+KeyRun+": use text without NUL")
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	en := &entry{unit: &store.Unit{ID: id, Run: e.Run, Form: string(e.Form), Number: e.Number, Status: string(Accepted), Body: maps.Clone(request.GetBody())}}
	if key != "" {
		en.unit.Key = store.KeyOf(e.Run, key)
		if before, failed := l.reserve(ctx, en.unit, requestKey(request)); before != nil || failed != nil {
			return before, before != nil, failed
		}
	}
	if err := l.store.Room(ctx); err != nil { // before any work is done for it
		l.refuse(ctx, en)
		return nil, false, l.storeFailed(err)
	}
	return en, false, nil
}

// refuse ends a placement without an order; its key is free again, at the latest when its lease has ended.
func (l *ledger) refuse(ctx context.Context, en *entry) {
	if en.unit.Key == (store.Key{}) {
		return
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	_ = l.store.Release(ctx, en.unit.Key, en.unit.ID) // the lease ends by itself
}

// acceptance is what an order is accepted with.
type acceptance struct {
	handlings []*orderpb.Handling
	messages  []store.Message // that it leads to at once, for the outbox
	held      bool            // it goes on in the memory of this process
}

// accept records the order with the messages that it leads to. It is refused when others have taken the room meanwhile.
func (l *ledger) accept(ctx context.Context, en *entry, with acceptance) *carrier.Failed {
	ctx, cancel := bounded(ctx)
	defer cancel()
	u := en.unit
	u.Since = time.Now()
	u.Steps = append(make([]string, 0, len(l.flow.Rows)), string(l.flow.Entry()))
	c := change{flow: l.flow, unit: u, sums: store.Sums{sumAccepted: 1}}
	c.handled(with.handlings)
	if with.held {
		u.Holder = l.about.Holder
	}
	if err := l.store.Create(ctx, u, c.sums, with.messages...); err != nil {
		return l.storeFailed(err)
	}
	en.accepted = true
	return nil
}

// ending is how an order became final, told to whoever brought that about, once.
type ending struct {
	form   Form
	status Status
	after  time.Duration // since it was accepted
	told   bool          // to one here who waited for it
}

// update changes an order. known is false when the store has no such order; end is not nil when the change has made it final.
func (l *ledger) update(ctx context.Context, id string, edit func(c *change)) (end *ending, known bool, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	err = l.store.Update(ctx, id, func(u *store.Unit) (store.Sums, bool) {
		c := change{flow: l.flow, unit: u, sums: store.Sums{}}
		edit(&c)
		end = c.end
		return c.sums, c.modified
	})
	switch {
	case errors.Is(err, store.ErrUnknown):
		return nil, false, nil
	case err != nil:
		return nil, false, l.storeFailed(err)
	}
	if end != nil {
		end.told = l.tell(id)
	}
	return end, true, nil
}

// report is what is told of an order.
type report struct {
	generation uint32 // of the order
	handlings  []*orderpb.Handling
	steps      []Step // done
	failures   []*orderpb.Failure
	released   bool // messages carry it on, and no longer this process's memory
}

// note notes what is told of an order. Its last step completes it, a failure ends it; the first end stands, later failures are added to it. Of an older
// generation the handlings alone are noted.
func (l *ledger) note(ctx context.Context, id string, r report) (end *ending, known bool, err error) {
	return l.update(ctx, id, func(c *change) {
		c.handled(r.handlings)
		if r.generation != c.unit.Generation {
			return
		}
		c.did(r.steps...)
		if r.released && c.unit.Holder != 0 {
			c.unit.Holder, c.modified = 0, true
		}
		if slices.Contains(r.steps, l.flow.Last()) {
			c.finish(Completed)
		}
		if len(r.failures) > 0 {
			c.finish(Failed)
			c.failed(r.failures)
		}
	})
}

// get is one order's state.
func (l *ledger) get(ctx context.Context, id string) (state State, known bool, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	u, err := l.store.Get(ctx, id)
	switch {
	case errors.Is(err, store.ErrUnknown):
		return State{}, false, nil
	case err != nil:
		return State{}, false, l.storeFailed(err)
	}
	return l.state(u), true, nil
}

// state is what a unit is to the outside, with its body.
func (l *ledger) state(u *store.Unit) State {
	state := State{ID: u.ID, Status: Status(u.Status), Run: u.Run, Form: Form(u.Form), Number: u.Number, Steps: asSteps(u.Steps), Body: map[string]any{}}
	for _, field := range l.flow.Body {
		state.Body[field.Name] = field.JSON(u.Body[field.Name])
	}
	for _, f := range u.Failures {
		state.Failures = append(state.Failures, StepFailure{Step: f.Step, Reason: f.Reason, Detail: f.Detail, Attempts: f.Attempts, DeadLetter: f.DeadLetter})
	}
	return state
}

// page lists up to limit of a run's orders that are remembered, by age, behind a place. next is the place to go on
// behind, 0 when there are no more.
func (l *ledger) page(ctx context.Context, run string, after uint64, limit int) (states []State, next uint64, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	units, next, err := l.store.Page(ctx, run, after, limit)
	if err != nil {
		return nil, 0, l.storeFailed(err)
	}
	states = make([]State, len(units))
	for i, u := range units {
		states[i] = l.state(u)
	}
	return states, next, nil
}

// pending counts the orders of this process's time that are not final.
func (l *ledger) pending(ctx context.Context) (int, error) { return l.store.Pending(ctx, l.started) }
