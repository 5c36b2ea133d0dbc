package services

import (
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// Status is where an order stands, as far as orders has heard.
type Status string

// An order is accepted until it is completed or failed; those two are final.
const (
	Accepted  Status = "accepted"
	Completed Status = "completed"
	Failed    Status = "failed"
)

// State is what orders knows of one order: the body of GET /orders/{id}.
type State struct {
	ID       string        `json:"id"`
	Status   Status        `json:"status"`
	Run      string        `json:"run,omitempty"`
	Form     Form          `json:"form"`
	Number   int           `json:"number"`
	Customer string        `json:"customer"`
	SKU      string        `json:"sku"`
	Quantity uint32        `json:"quantity"`
	Steps    []Step        `json:"steps"` // done, as far as orders has heard
	Failures []StepFailure `json:"failures,omitempty"`
}

// StepFailure is a step that failed, and why.
type StepFailure struct {
	Step   string `json:"step"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// CutOff tells whether the step failed because its caller gave up or could not reach it. Such a step may have begun
// all the same.
func (f StepFailure) CutOff() bool {
	return f.Reason == carrier.Cancelled || f.Reason == carrier.Timeout || f.Reason == carrier.Unavailable
}

// Accounts are the sums of one form's orders: accepted = completed + failed + pending.
type Accounts struct {
	Accepted  int `json:"accepted"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Pending   int `json:"pending"`
}

// remembered is how many orders the ledger holds. Beyond it the oldest final ones are forgotten: memory has an end.
const remembered = 200_000

// ledger is the state of all orders, in the memory of the one orders service that there is.
type ledger struct {
	mu     sync.Mutex
	byID   map[string]*entry
	byKey  map[string]*entry // by run and Idempotency-Key
	order  []*entry          // by age
	forget int               // entries at the front of order that are forgotten
	limit  int               // of orders to remember
}

// entry is one order, from the moment its placement is being worked on.
type entry struct {
	state    State
	key      string
	request  *orderpb.Order
	arrived  map[Step]bool // whose message has come
	accepted bool
	since    time.Time // accepted, on this process's clock
	answered bool      // the placement has its answer, below
	answer   *orderpb.Acceptance
	failed   *carrier.Failed
}

func newLedger() *ledger {
	return &ledger{byID: map[string]*entry{}, byKey: map[string]*entry{}, limit: remembered}
}

// begin starts a placement. With a key that was used before it returns the entry of that time and replay, or a failure
// when the first is still in flight or had another body.
func (l *ledger) begin(e Experiment, key string, request *orderpb.Order, id string) (begun *entry, replay bool, failed *carrier.Failed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if key != "" {
		key = e.Run + "\x00" + key
		if before, ok := l.byKey[key]; ok {
			switch {
			case !proto.Equal(before.request, request):
				return nil, false, carrier.Fail("", "idempotency_key_reused", "this Idempotency-Key belongs to another order: use a new one")
			case !before.answered:
				return nil, false, carrier.Fail("", "idempotency_key_in_use", "the first request with this Idempotency-Key is still being worked on: ask again later")
			}
			return before, true, nil
		}
	}
	en := &entry{key: key, request: proto.CloneOf(request), arrived: map[Step]bool{}, state: State{
		ID: id, Status: Accepted, Run: e.Run, Form: e.Form, Number: e.Number,
		Customer: request.GetCustomer(), SKU: request.GetSku(), Quantity: request.GetQuantity(), Steps: []Step{},
	}}
	if key != "" {
		l.byKey[key] = en
	}
	return en, false, nil
}

// refuse ends a placement without an order; its key is free again.
func (l *ledger) refuse(en *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byKey, en.key)
}

// accept records the order.
func (l *ledger) accept(en *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en.accepted, en.since = true, time.Now()
	en.state.Steps = append(en.state.Steps, Accept)
	l.byID[en.state.ID] = en
	l.order = append(l.order, en)
	l.trim()
}

// trim forgets the oldest orders that are final when there are too many. One that stays pending does not keep those
// behind it.
func (l *ledger) trim() {
	for len(l.order)-l.forget > l.limit {
		behind := slices.IndexFunc(l.order[l.forget:], func(en *entry) bool { return en.state.Status != Accepted })
		if behind < 0 {
			return
		}
		old := l.order[l.forget+behind]
		delete(l.byID, old.state.ID)
		delete(l.byKey, old.key)
		if behind > 0 {
			l.order = slices.Delete(l.order, l.forget+behind, l.forget+behind+1)
			continue
		}
		l.order[l.forget] = nil
		l.forget++
	}
	if l.forget > l.limit {
		l.order, l.forget = slices.Clone(l.order[l.forget:]), 0
	}
}

// answer keeps what the placement was answered, for a client that asks again with the same key.
func (l *ledger) answer(en *entry, answer *orderpb.Acceptance, failed *carrier.Failed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en.answered, en.answer, en.failed = true, answer, failed
}

// ending is how an order became final, told to whoever brought that about, once.
type ending struct {
	form   Form
	status Status
	after  time.Duration // since it was accepted
}

// end makes an order final.
func (en *entry) end(status Status) *ending {
	en.state.Status = status
	return &ending{form: en.state.Form, status: status, after: time.Since(en.since)}
}

// did notes steps that are done and tells whether that was the order's end.
func (l *ledger) did(id string, steps ...Step) *ending {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.byID[id]
	if en == nil {
		return nil
	}
	en.did(steps...)
	if slices.Contains(en.state.Steps, Complete) && en.state.Status == Accepted {
		return en.end(Completed)
	}
	return nil
}

func (en *entry) did(steps ...Step) {
	for _, step := range steps {
		if !slices.Contains(en.state.Steps, step) {
			en.state.Steps = append(en.state.Steps, step)
		}
	}
}

// arrive notes the message of a finished step and tells whether it was the last that the join waits for. A repeat
// changes nothing, and neither does a message for an order that has failed or is not known.
func (l *ledger) arrive(id string, step Step, join []Step) (last, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.byID[id]
	if en == nil {
		return false, false
	}
	if en.arrived[step] || !slices.Contains(join, step) {
		return false, true
	}
	en.arrived[step] = true
	en.did(step)
	for _, s := range join {
		if !en.arrived[s] {
			return false, true
		}
	}
	return en.state.Status == Accepted, true
}

// fail ends an order with failures; the first end stands, later failures are added to it.
func (l *ledger) fail(id string, failures []*orderpb.Failure) (end *ending, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.byID[id]
	if en == nil {
		return nil, false
	}
	if en.state.Status == Accepted {
		end = en.end(Failed)
	}
	for _, f := range failures {
		failure := StepFailure{Step: f.GetStep(), Reason: f.GetReason(), Detail: f.GetDetail()}
		if !slices.Contains(en.state.Failures, failure) {
			en.state.Failures = append(en.state.Failures, failure)
		}
	}
	return end, true
}

// get is one order's state.
func (l *ledger) get(id string) (State, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.byID[id]
	if en == nil {
		return State{}, false
	}
	return en.copy(), true
}

func (en *entry) copy() State {
	state := en.state
	state.Steps, state.Failures = slices.Clone(state.Steps), slices.Clone(state.Failures)
	return state
}

// run lists a run's orders, by age.
func (l *ledger) run(run string) []State {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := []State{}
	for _, en := range l.order[l.forget:] {
		if en.state.Run == run {
			states = append(states, en.copy())
		}
	}
	return states
}

// accounts sums a run's orders up, by form.
func (l *ledger) accounts(run string) map[Form]Accounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	sums := map[Form]Accounts{}
	for _, en := range l.order[l.forget:] {
		if en.state.Run != run {
			continue
		}
		a := sums[en.state.Form]
		a.Accepted++
		switch en.state.Status {
		case Completed:
			a.Completed++
		case Failed:
			a.Failed++
		default:
			a.Pending++
		}
		sums[en.state.Form] = a
	}
	return sums
}

// pending counts the orders that are not final.
func (l *ledger) pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, en := range l.order[l.forget:] {
		if en.state.Status == Accepted {
			n++
		}
	}
	return n
}
