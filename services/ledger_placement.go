package services

import (
	"context"
	"maps"
	"strings"
	"time"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// entry is one order while its placement is being worked on.
type entry struct {
	unit     *store.Unit
	accepted bool
	ended    <-chan struct{}  // closed when the order is final; nil when nobody waits for that
	answer   *orderpb.Receipt // what the client was answered, or nil
	failed   *carrier.Failed  // with what failure it was answered, or nil
}

// begin starts a placement. For a key that was used before it returns the first placement's entry and replay, or a failure when that
// one is still in flight or had another body.
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
	if err := l.store.Room(ctx); err != nil { // before any work is done
		l.refuse(ctx, en)
		return nil, false, l.storeFailed(err)
	}
	return en, false, nil
}

// refuse ends a placement without an order and releases its key, which else becomes free when its lease ends.
func (l *ledger) refuse(ctx context.Context, en *entry) {
	if en.unit.Key == (store.Key{}) {
		return
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	_ = l.store.Release(ctx, en.unit.Key, en.unit.ID) // the lease ends by itself
}

// acceptance is what is stored together with an accepted order.
type acceptance struct {
	handlings []*orderpb.Handling // of the steps that are done
	messages  []store.Message     // its first messages, for the outbox
	held      bool                // the order is carried on in the memory of this process
}

// accept stores the order with its first messages. It fails when others have taken the room meanwhile.
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
