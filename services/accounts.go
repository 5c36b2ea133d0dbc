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
	// Lost are the pending orders whose next steps were in the memory of a process that has ended: they will never complete. Only a durable
	// store knows of them.
	Lost int `json:"lost,omitempty"`
	// Forgotten are those of the accepted orders that are no longer listed, because the ledger has a limit.
	Forgotten int `json:"forgotten,omitempty"`
	// Retried counts the attempts at steps after the first ones. DeadLetters counts the messages that were dead-lettered after their last attempt;
	// each belongs to an order that has failed. A message that was redriven stays counted.
	Retried     int `json:"retried,omitempty"`
	DeadLetters int `json:"dead_letters,omitempty"`
	// BegunAnew counts the restarts of orders that had failed and were undone.
	BegunAnew int `json:"begun_anew,omitempty"`
	// Effects says for each step how it was handled.
	Effects map[Step]Effect `json:"effects,omitempty"`
}

// Effect counts how a step was handled, over a form's orders. Delivery is at least once. Once + Twice is the number of orders for
// which the step was done. A step that has an undo is done once for each generation of an order, and counts once for each.
type Effect struct {
	Once    int `json:"once"`    // orders for which it was done once
	Skipped int `json:"skipped"` // repeated deliveries that were skipped
	Twice   int `json:"twice"`   // orders for which it was done more than once, with effect
}

// Summary is the body of GET /runs/{run}: the accounts of each form under its name, and under "orders" the store that keeps them.
type Summary struct {
	Forms  map[Form]Accounts
	Orders OrdersInstance
}

// OrdersInstance identifies the store that keeps the accounts. A store in memory begins with its process, so another instance means that earlier
// orders are forgotten. A durable store keeps its identity over restarts, and for all processes that share it.
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

// Names of the sums of a form. The last three are prefixes: the name of a step follows.
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

// accountsOf returns the accounts in the sums of a form.
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
	// handlingsOfStep limits the handlings that are remembered for an order: on average so many for each step and generation, one of them with
	// its effect. Further ones are not counted.
	handlingsOfStep = 8
	// mostGenerations limits the generations of an order for which that room is reserved.
	mostGenerations = 100
)

// handled notes how steps were handled. The same handling may be reported many times: it travels with every message that follows from it.
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

// handle notes one handling, and the one that it repeats: that may have ended before it was reported. It returns false when the handling
// is known already.
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

// retried counts the attempts after the first one. Those before a redrive, in number before, are counted already.
func (c *change) retried(attempts, before uint32) {
	if attempts > max(1, before) {
		c.sums[sumRetried] += int64(attempts - max(1, before))
	}
}

// missed counts a message about an unknown order.
func (l *ledger) missed(ctx context.Context, e Experiment) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if err := l.store.Count(ctx, e.Run, "", store.Sums{sumUnknown: 1}); err != nil {
		return l.storeFailed(err)
	}
	return nil
}

// summary returns the accounts of a run.
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
