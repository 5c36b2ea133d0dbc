package services

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// Accounts are the sums of one form's orders: accepted = completed + failed + pending.
type Accounts struct {
	Accepted  int `json:"accepted"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Pending   int `json:"pending"`
	// Lost are the pending orders that went on in the memory of a process that is gone: nobody carries on with them. Without a store that
	// outlives the process nobody knows of them.
	Lost int `json:"lost,omitempty"`
	// Forgotten are the orders of these that are no longer listed, because the ledger has a limit.
	Forgotten int `json:"forgotten,omitempty"`
	// Retried counts the attempts at steps behind the first ones, DeadLetters the messages that were put aside when no attempt had helped: each is
	// of an order that has failed. One that was redriven stays counted.
	Retried     int `json:"retried,omitempty"`
	DeadLetters int `json:"dead_letters,omitempty"`
	// BegunAnew counts how often orders began anew that had failed and were undone.
	BegunAnew int `json:"begun_anew,omitempty"`
	// Effects says for each step how it was handled.
	Effects map[Step]Effect `json:"effects,omitempty"`
}

// Effect counts how a step was handled, over a form's orders. Delivery is at least once; once + twice are the orders for
// which the step was done. An order that began anew counts again for a step that has an undo: that is done once for each of its generations.
type Effect struct {
	Once    int `json:"once"`    // orders for which it was done once
	Skipped int `json:"skipped"` // handlings that came again and were skipped
	Twice   int `json:"twice"`   // orders for which it was done more than once, with effect
}

// Summary is the body of GET /runs/{run}: the accounts of each form under its name, and under "orders" whose they are.
type Summary struct {
	Forms  map[Form]Accounts
	Orders OrdersInstance
}

// OrdersInstance is the store that keeps the accounts. One in memory begins with its process: another instance has forgotten what was
// before it. One on disk stays the same through restarts, and for all processes that share it.
type OrdersInstance struct {
	Instance string    `json:"instance"`
	Started  time.Time `json:"started"` // the process that answers
	// UnknownMessages counts the messages of the run about orders that this instance does not know.
	UnknownMessages int `json:"unknown_messages"`
}

const ordersKey = "orders" // no form has this name

// MarshalJSON writes one object with a key for each form.
func (s Summary) MarshalJSON() ([]byte, error) {
	object := map[string]any{ordersKey: s.Orders}
	for form, a := range s.Forms {
		object[string(form)] = a
	}
	return json.Marshal(object)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Summary) UnmarshalJSON(text []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	s.Forms = map[Form]Accounts{}
	var errs []error
	for key, value := range object {
		if key == ordersKey {
			errs = append(errs, json.Unmarshal(value, &s.Orders))
			continue
		}
		var a Accounts
		errs = append(errs, json.Unmarshal(value, &a))
		s.Forms[Form(key)] = a
	}
	return errors.Join(errs...)
}

// Names of the sums of a form. Those of a step have its name behind them.
const (
	sumAccepted  = "accepted"
	sumCompleted = string(Completed)
	sumFailed    = string(Failed)
	sumRetried   = "retried"
	sumDead      = "dead_letters"
	sumAnew      = "begun_anew"
	sumUnknown   = "unknown" // messages about orders that are not known
	sumOnce      = "once/"
	sumSkipped   = "skipped/"
	sumTwice     = "twice/"
)

// accountsOf are the accounts that sums stand for.
func accountsOf(sums store.Sums) Accounts {
	a := Accounts{Accepted: int(sums[sumAccepted]), Completed: int(sums[sumCompleted]), Failed: int(sums[sumFailed]), Forgotten: int(sums[store.SumForgotten])}
	a.Retried, a.DeadLetters, a.BegunAnew = int(sums[sumRetried]), int(sums[sumDead]), int(sums[sumAnew])
	a.Pending = a.Accepted - a.Completed - a.Failed
	for name, n := range sums {
		for prefix, field := range map[string]func(*Effect) *int{
			sumOnce: func(e *Effect) *int { return &e.Once }, sumSkipped: func(e *Effect) *int { return &e.Skipped }, sumTwice: func(e *Effect) *int { return &e.Twice },
		} {
			step, ok := strings.CutPrefix(name, prefix)
			if !ok {
				continue
			}
			if a.Effects == nil {
				a.Effects = map[Step]Effect{}
			}
			effect := a.Effects[Step(step)]
			*field(&effect) += int(n)
			a.Effects[Step(step)] = effect
		}
	}
	return a
}

const (
	// handlingsOfStep is how many handlings of each of an order's steps are told apart, on the average and in each generation, one of them with its
	// effect; what comes on top is not counted.
	handlingsOfStep = 8
	// mostGenerations is how many generations of an order are told apart so.
	mostGenerations = 100
)

// handled notes how steps were handled. The same handling may be told of many times: it travels with every message that
// it leads to.
func (c *change) handled(handlings []*orderpb.Handling) {
	effects := len(c.flow.Rows) * int(1+min(c.unit.Generation, mostGenerations-1))
	most := handlingsOfStep * effects
	for _, h := range handlings {
		_, ok := c.flow.Row(Step(h.GetStep()))
		switch told := len(c.unit.Handlings); {
		case !ok || told >= most:
		case told >= most-effects && h.GetRepeats() != 0: // there is room for effects only
			c.handle(h.GetStep(), h.GetGeneration(), h.GetRepeats(), 0)
		case c.handle(h.GetStep(), h.GetGeneration(), h.GetId(), h.GetRepeats()):
			c.retried(h.GetAttempt(), h.GetBefore())
		}
	}
}

// handle notes one handling, and in its turn the one that it repeats, which may have ended before it told anybody.
// It reports false when the handling was known.
func (c *change) handle(step string, generation uint32, id, repeats uint64) bool {
	u := c.unit
	if slices.ContainsFunc(u.Handlings, func(h store.Handling) bool { return h.ID == id }) {
		return false
	}
	c.modified = true
	if repeats != 0 {
		c.handle(step, generation, repeats, 0)
		u.Handlings = append(u.Handlings, store.Handling{ID: id})
		c.sums[sumSkipped+step]++
		return true
	}
	before, effect := 0, effectName(step, generation)
	for _, h := range u.Handlings {
		if h.Step == effect {
			before++
		}
	}
	switch before {
	case 0:
		c.sums[sumOnce+step]++
	case 1:
		c.sums[sumOnce+step]--
		c.sums[sumTwice+step]++
	}
	u.Handlings = append(u.Handlings, store.Handling{ID: id, Step: effect})
	return true
}

// retried counts the attempts behind the first one, of which those before the message came back from the dead letters are counted.
func (c *change) retried(attempts, before uint32) {
	if attempts > max(1, before) {
		c.sums[sumRetried] += int64(attempts - max(1, before))
	}
}

// missed counts a message about an order that is not known.
func (l *ledger) missed(ctx context.Context, e Experiment) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := l.store.Count(ctx, e.Run, "", store.Sums{sumUnknown: 1}); err != nil {
		return l.storeFailed(err)
	}
	return nil
}

// summary is the accounts of a run.
func (l *ledger) summary(ctx context.Context, run string) (Summary, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	s := Summary{Forms: map[Form]Accounts{}, Orders: OrdersInstance{Instance: l.about.ID, Started: l.started}}
	forms, err := l.store.Sums(ctx, run)
	if err != nil {
		return s, l.storeFailed(err)
	}
	lost, err := l.store.Lost(ctx, run)
	if err != nil {
		return s, l.storeFailed(err)
	}
	for form, sums := range forms {
		if form == "" {
			s.Orders.UnknownMessages = int(sums[sumUnknown])
			continue
		}
		a := accountsOf(sums)
		a.Lost = lost[form]
		s.Forms[Form(form)] = a
	}
	return s, nil
}
