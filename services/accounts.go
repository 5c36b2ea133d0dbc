package services

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"tracelab/services/internal/orderpb"
)

// Accounts are the sums of one form's orders: accepted = completed + failed + pending.
type Accounts struct {
	Accepted  int `json:"accepted"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Pending   int `json:"pending"`
	// Forgotten are the orders of these that are no longer listed, because the ledger has a limit.
	Forgotten int `json:"forgotten,omitempty"`
	// Effects says for each step how it was handled.
	Effects map[Step]Effect `json:"effects,omitempty"`
}

// Effect counts how a step was handled, over a form's orders. Delivery is at least once; once + twice are the orders for
// which the step was done.
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

// OrdersInstance is the orders service that keeps the accounts, in memory: another instance has forgotten what was
// before it.
type OrdersInstance struct {
	Instance string    `json:"instance"`
	Started  time.Time `json:"started"`
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

// sums are the accounts of the last runs. They are kept apart from the orders, of which old ones are forgotten.
type sums struct {
	runs  map[string]*runSums
	byAge []string
}

type runSums struct {
	forms   map[Form]*Accounts
	unknown int // messages about orders that are not known
}

// mostRuns is how many runs have sums; beyond it the oldest one's are forgotten.
const mostRuns = 200

// run is the sums of a run.
func (s *sums) run(run string) *runSums {
	if r := s.runs[run]; r != nil {
		return r
	}
	if s.runs == nil {
		s.runs = map[string]*runSums{}
	}
	if len(s.byAge) >= mostRuns {
		delete(s.runs, s.byAge[0])
		s.byAge = slices.Delete(s.byAge, 0, 1)
	}
	r := &runSums{forms: map[Form]*Accounts{}}
	s.runs[run] = r
	s.byAge = append(s.byAge, run)
	return r
}

// of is the sums of a form in a run.
func (s *sums) of(run string, form Form) *Accounts {
	forms := s.run(run).forms
	if forms[form] == nil {
		forms[form] = &Accounts{}
	}
	return forms[form]
}

// handling is one handling of a step that orders was told of.
type handling struct {
	id   uint64
	step Step
}

// handlingsOfStep is how many handlings of each of an order's steps are told apart, on the average; what comes on top is not counted.
const handlingsOfStep = 8

// handled notes how steps were handled. The same handling may be told of many times: it travels with every message that
// it leads to.
func (l *ledger) handled(id string, handlings ...*orderpb.Handling) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.byID[id]
	if en == nil {
		return
	}
	for _, h := range handlings {
		if _, ok := l.flow.Row(Step(h.GetStep())); !ok || len(en.handlings) >= handlingsOfStep*len(l.flow.Rows) {
			continue
		}
		en.handled(l.sums.of(en.state.Run, en.state.Form), Step(h.GetStep()), h.GetId(), h.GetRepeats())
	}
}

// handled notes one handling, and in its turn the one that it repeats, which may have ended before it told anybody.
func (en *entry) handled(sums *Accounts, step Step, id, repeats uint64) {
	known := func(id uint64) bool {
		return slices.ContainsFunc(en.handlings, func(h handling) bool { return h.id == id })
	}
	if known(id) {
		return
	}
	if sums.Effects == nil {
		sums.Effects = map[Step]Effect{}
	}
	if repeats != 0 {
		en.handled(sums, step, repeats, 0)
		en.handlings = append(en.handlings, handling{id: id})
		effect := sums.Effects[step]
		effect.Skipped++
		sums.Effects[step] = effect
		return
	}
	before := 0
	for _, h := range en.handlings {
		if h.step == step {
			before++
		}
	}
	effect := sums.Effects[step]
	switch before {
	case 0:
		effect.Once++
	case 1:
		effect.Once--
		effect.Twice++
	}
	sums.Effects[step] = effect
	en.handlings = append(en.handlings, handling{id, step})
}

// missed counts a message about an order that is not known.
func (l *ledger) missed(e Experiment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sums.run(e.Run).unknown++
}

// summary is the accounts of a run.
func (l *ledger) summary(run string) Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Summary{Forms: map[Form]Accounts{}, Orders: OrdersInstance{Instance: l.instance, Started: l.started}}
	r := l.sums.runs[run]
	if r == nil {
		return s
	}
	s.Orders.UnknownMessages = r.unknown
	for form, sums := range r.forms {
		a := *sums
		a.Pending = a.Accepted - a.Completed - a.Failed
		a.Effects = maps.Clone(sums.Effects)
		s.Forms[form] = a
	}
	return s
}
