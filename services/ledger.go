package services

import (
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"tracelab/services/flows"
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
}

// CutOff tells whether the step failed because its caller gave up or could not reach it. Such a step may have begun
// all the same.
func (f StepFailure) CutOff() bool {
	return f.Reason == carrier.Cancelled || f.Reason == carrier.Timeout || f.Reason == carrier.Unavailable
}

// ledger is the state of all orders, in the memory of the one orders service that there is. It has a limit: the oldest
// final orders are forgotten first, then the oldest that have been pending for pendingFor; when neither is there, no
// order is accepted. What is forgotten stays in the sums.
type ledger struct {
	flow     *flows.Flow
	instance string    // of this process's ledger
	started  time.Time // this one

	mu    sync.Mutex
	byID  map[string]*entry
	byKey map[string]*entry // by run and Idempotency-Key
	order []*entry          // by age; nil where one is forgotten
	gaps  int               // in order
	last  uint64            // place of the youngest
	limit int               // of orders to remember
	sums  sums
}

// pendingFor is how long a pending order is remembered when there is no room: longer than any fault or wait.
const pendingFor = 10 * time.Minute

// entry is one order, from the moment its placement is being worked on.
type entry struct {
	state     State
	place     uint64 // among all orders, by age
	key       string
	request   *orderpb.Order
	arrived   []arrival
	handlings []handling
	accepted  bool
	since     time.Time     // accepted, on this process's clock
	ended     chan struct{} // closed when the order is final; nil when nobody waits for that
	answered  bool          // the placement has its answer, below
	answer    *orderpb.Receipt
	failed    *carrier.Failed
}

// arrival is a branch of a join whose message or call has come.
type arrival struct{ join, branch Step }

func newLedger(flow *flows.Flow, limit int) *ledger {
	return &ledger{flow: flow, byID: map[string]*entry{}, byKey: map[string]*entry{}, limit: limit, instance: rand.Text()[:12], started: time.Now()}
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
				return nil, false, carrier.Fail("", "idempotency_key_reused", "this Idempotency-Key belongs to another "+l.flow.Unit+": use a new one")
			case !before.answered:
				return nil, false, carrier.Fail("", "idempotency_key_in_use", "the first request with this Idempotency-Key is still being worked on: ask again later")
			}
			return before, true, nil
		}
	}
	if !l.room() { // before any work is done for it
		return nil, false, l.full()
	}
	en := &entry{key: key, request: proto.CloneOf(request), state: State{
		ID: id, Status: Accepted, Run: e.Run, Form: e.Form, Number: e.Number, Steps: []Step{},
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

// accept records the order. It is refused when others have taken the room meanwhile.
func (l *ledger) accept(en *entry) *carrier.Failed {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.room() {
		return l.full()
	}
	l.last++
	en.accepted, en.since, en.place = true, time.Now(), l.last
	en.state.Steps = append(make([]Step, 0, len(l.flow.Rows)), l.flow.Entry())
	l.byID[en.state.ID] = en
	l.order = append(l.order, en)
	l.sums.of(en.state.Run, en.state.Form).Accepted++
	return nil
}

// full is the refusal of an order that there is no room for.
func (l *ledger) full() *carrier.Failed {
	return carrier.Fail("", carrier.Full, fmt.Sprintf("%[1]s has room for %[2]d orders and all are pending: place it again later, or give %[1]s more memory", l.flow.Entry().Service(), l.limit))
}

// room makes room for one more order, if it can.
func (l *ledger) room() bool {
	if len(l.byID) < l.limit {
		return true
	}
	at := slices.IndexFunc(l.order, func(en *entry) bool { return en != nil && en.state.Status != Accepted })
	if at < 0 {
		at = slices.IndexFunc(l.order, func(en *entry) bool { return en != nil })
		if at < 0 || time.Since(l.order[at].since) < pendingFor {
			return false
		}
	}
	old := l.order[at]
	delete(l.byID, old.state.ID)
	delete(l.byKey, old.key)
	l.sums.of(old.state.Run, old.state.Form).Forgotten++
	l.order[at] = nil
	if at == 0 {
		l.order = l.order[1:]
		return true
	}
	if l.gaps++; l.gaps > len(l.order)/2 {
		l.order, l.gaps = slices.DeleteFunc(l.order, func(en *entry) bool { return en == nil }), 0
	}
	return true
}

// answer keeps what the placement was answered, for a client that asks again with the same key.
func (l *ledger) answer(en *entry, answer *orderpb.Receipt, failed *carrier.Failed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en.answered = true
	if en.key == "" { // nobody can ask again
		return
	}
	en.answer, en.failed = answer, failed
}

// ending is how an order became final, told to whoever brought that about, once.
type ending struct {
	form   Form
	status Status
	after  time.Duration // since it was accepted
}

// end makes an order final.
func (l *ledger) end(en *entry, status Status) *ending {
	en.state.Status = status
	if en.ended != nil {
		close(en.ended)
	}
	sums := l.sums.of(en.state.Run, en.state.Form)
	if status == Completed {
		sums.Completed++
	} else {
		sums.Failed++
	}
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
	if slices.Contains(en.state.Steps, l.flow.Last()) && en.state.Status == Accepted {
		return l.end(en, Completed)
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

// arrive notes the finished steps that lead to a hop and tells whether its step is to be done: the last branch that it waits for has come. A
// repeat changes nothing, and neither does a message for an order that has failed or is not known.
func (l *ledger) arrive(id string, hop flows.Hop, of []Step) (ready, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	en := l.byID[id]
	if en == nil {
		return false, false
	}
	if !hop.Join {
		en.did(l.known(of)...)
		return en.state.Status == Accepted, true
	}
	for _, branch := range of {
		if slices.Contains(en.arrived, arrival{hop.Step, branch}) || !slices.Contains(hop.After, branch) {
			return false, true
		}
		en.arrived = append(en.arrived, arrival{hop.Step, branch})
		en.did(branch)
	}
	for _, branch := range hop.After {
		if !slices.Contains(en.arrived, arrival{hop.Step, branch}) {
			return false, true
		}
	}
	return en.state.Status == Accepted, true
}

// known are those of the steps that the flow has: what came from outside adds no others.
func (l *ledger) known(steps []Step) []Step {
	return slices.DeleteFunc(steps, func(s Step) bool { _, ok := l.flow.Row(s); return !ok })
}

// unarrive takes back that branches have arrived: what they led to is not finished, and they come again.
func (l *ledger) unarrive(id string, hop flows.Hop, of []Step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if en := l.byID[id]; en != nil {
		en.arrived = slices.DeleteFunc(en.arrived, func(a arrival) bool { return a.join == hop.Step && slices.Contains(of, a.branch) })
	}
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
		end = l.end(en, Failed)
	}
	for _, f := range failures {
		failure := StepFailure{Step: f.GetStep(), Reason: f.GetReason(), Detail: f.GetDetail()}
		if len(en.state.Failures) < 2*len(l.flow.Rows) && !slices.Contains(en.state.Failures, failure) {
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
	return l.copy(en), true
}

// copy is a state that nobody changes any more, with its body.
func (l *ledger) copy(en *entry) State {
	state := en.state
	state.Body = map[string]any{}
	for _, field := range l.flow.Body {
		state.Body[field.Name] = field.JSON(en.request.GetBody()[field.Name])
	}
	state.Steps, state.Failures = slices.Clone(state.Steps), slices.Clone(state.Failures)
	return state
}

// page lists up to limit of a run's orders that are remembered, by age, behind a place. next is the place to go on
// behind, 0 when there are no more.
func (l *ledger) page(run string, after uint64, limit int) (states []State, next uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	states = []State{}
	for _, en := range l.order[l.behind(after):] {
		if en == nil || en.state.Run != run {
			continue
		}
		if len(states) == limit {
			return states, next
		}
		states = append(states, l.copy(en))
		next = en.place
	}
	return states, 0
}

// behind is where the orders behind a place begin. Places grow by one, and gaps keep theirs until they are closed.
func (l *ledger) behind(place uint64) int {
	for at := range l.order { // the first that is there tells where its neighbors are
		if l.order[at] == nil {
			continue
		}
		return at + sort.Search(len(l.order)-at, func(i int) bool { return l.placeAt(at+i) > place })
	}
	return len(l.order)
}

// placeAt is the place of an order, or of the next one behind a gap.
func (l *ledger) placeAt(at int) uint64 {
	for ; at < len(l.order); at++ {
		if l.order[at] != nil {
			return l.order[at].place
		}
	}
	return math.MaxUint64
}

// pending counts the orders that are not final.
func (l *ledger) pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, en := range l.byID {
		if en.state.Status == Accepted {
			n++
		}
	}
	return n
}
