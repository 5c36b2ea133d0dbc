package services

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tracelab/internal/vocabulary"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// ledger keeps the state of all orders. It decides, and the store remembers. The store has a limit: it first forgets the oldest final orders, then the
// oldest ones that have been pending for store.PendingFor. When there are neither, no order is accepted. What is forgotten stays in the sums.
type ledger struct {
	flow    *flows.Flow
	store   store.Store
	about   store.About
	limit   int       // maximum number of orders to remember
	started time.Time // when this process made it

	mu      sync.Mutex
	waiting map[string]chan struct{} // by the id of an order whose client's call is open: closed when the order is final
}

// storeTimeout is how long a call waits for the store, even when its caller goes away: what was done is noted all the same. A consumer, whose
// context has no end, waits until the store is closed.
const storeTimeout = 5 * time.Second

func newLedger(flow *flows.Flow, s store.Store, limit int) *ledger {
	return &ledger{flow: flow, store: s, about: s.About(), limit: limit, started: time.Now(), waiting: map[string]chan struct{}{}}
}

// bounded returns the context of a request to the store: it ends after storeTimeout, not with the caller's.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Done() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// storeFailed returns an error of the store as the failure of the request that needed it.
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

// ending is how an order became final. Only the update that made it final returns it.
type ending struct {
	form   Form
	status Status
	after  time.Duration // since it was accepted
	told   bool          // a caller waited here for the end, and was woken
}

// update changes an order. known is false when the store has no such order. end is not nil when the change has made it final.
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

// report is news about an order.
type report struct {
	generation uint32 // of the order
	handlings  []*orderpb.Handling
	steps      []Step // done
	failures   []*orderpb.Failure
	released   bool // messages carry the order on from now on, not this process's memory
}

// note notes a report about an order. The flow's last step completes the order, and a failure ends it. The first end stands; later failures are added. Of
// an older generation only the handlings are noted.
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
