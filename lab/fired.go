package lab

import (
	"fmt"
	"slices"

	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// FiredFault counts the orders of a form that the seed draws for a fault, and those on which a service acted on it.
type FiredFault struct {
	Fault  string `json:"fault"`
	Orders int    `json:"orders"` // placed
	Drawn  int    `json:"drawn"`
	// Reached are the drawn orders that are known to have come to the service while the fault was to act; others may have.
	Reached int `json:"reached"`
	Fired   int `json:"fired"`
}

// agrees tells whether the fault fired as drawn.
func (f FiredFault) agrees() bool { return f.Fired >= f.Reached && f.Fired <= f.Drawn }

// String says how often the fault fired: "9 of 30, as drawn".
func (f FiredFault) String() string {
	text := fmt.Sprintf("%d of %d", f.Fired, f.Orders)
	switch {
	case f.Fired == f.Drawn:
		return text + ", as drawn"
	case f.agrees():
		return fmt.Sprintf("%s, as drawn: %d were drawn, %d of them did not come to it", text, f.Drawn, f.Drawn-f.Fired)
	}
	return fmt.Sprintf("%s, NOT as drawn: %d were drawn, and %d of them came to it", text, f.Drawn, f.Reached)
}

// firedFaults counts, for a form, what was drawn and what fired.
func (r *running) firedFaults(form services.Form) []FiredFault {
	list := make([]FiredFault, len(r.Faults))
	fired := r.fired()[form]
	for i, f := range r.Faults {
		list[i] = FiredFault{Fault: f.String(), Fired: fired[f.String()]}
		for _, o := range r.judge.records[form] {
			if o == nil || !o.placed {
				continue
			}
			list[i].Orders++
			e := r.experiment()
			if e.Number = o.key.number; !e.Hits(f) {
				continue
			}
			list[i].Drawn++
			if !f.Timed() && f.Attempt < 2 && r.reached(o, f) {
				list[i].Reached++
			}
		}
	}
	return list
}

// fired is how many orders each fault acted on, by form, as the services say.
func (r *running) fired() map[services.Form]map[string]int {
	if r.env.system != nil {
		return r.env.system.Fired(r.name)
	}
	return r.firedElsewhere
}

// reached tells whether an order is known to have come to the place where a fault acts.
func (r *running) reached(o *record, f faults.Fault) bool {
	if !f.ActsOnSteps() {
		return r.sent(o, f)
	}
	if f.Service == services.Gateway {
		return o.Answered() // two faults there: the one that ends the request comes first
	}
	for _, step := range r.judge.expect.of(o.key, o.orderState).steps {
		failed := o.failed != nil && slices.ContainsFunc(o.failed.Failures, func(f services.StepFailure) bool { return f.Step == string(step) })
		if step.Service() == f.Service && !failed { // a step with two faults may have ended at the first
			return true
		}
	}
	return false
}

// sent tells whether an order is known to have made a hop on which a fault of hops acts.
func (r *running) sent(o *record, f faults.Fault) bool {
	if o.status != services.Completed || f.Kind == faults.DropBaggage { // without baggage, nobody behind it knows of a fault
		return false
	}
	if f.Service == services.Gateway {
		return !f.ActsOnMessages()
	}
	plan, err := r.Flow.Plan(o.key.form, r.judge.expect.skipped(o.key.number)...)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(plan.Hops, func(hop flows.Hop) bool {
		takes := hop.By.IsMessage() || hop.By == flows.HTTP || hop.By == flows.RPC
		if f.ActsOnMessages() {
			takes = hop.By.IsMessage()
		}
		if f.Kind == faults.DoubleTraceparent && hop.By == flows.RabbitMQ {
			takes = false
		}
		return takes && madeBy(plan, hop, f.Service)
	})
}

// madeBy tells whether a service makes a hop of a plan. The hop to the entry is made by the gateway, and by nobody here.
func madeBy(plan *flows.Plan, hop flows.Hop, service string) bool {
	from := hop.After
	if hop.Holder != "" {
		from = []services.Step{hop.Holder}
	}
	return len(hop.After) > 0 && slices.ContainsFunc(from, func(s services.Step) bool { return plan.Holder(s).Service() == service })
}

// contextFault names the first fault that is drawn for an order and damages the context that is sent, or returns "": what is behind
// the hop may then be missing in the order's journey.
func (r *running) contextFault(o *record) string {
	for _, f := range r.Faults {
		e := r.experiment()
		if e.Number = o.key.number; !f.ActsOnSteps() && !f.ActsOnMessages() && e.Hits(f) {
			return "fault " + f.String()
		}
	}
	return ""
}

// firedProblems names the faults that did not fire as drawn.
func (f *FormResult) firedProblems() []string {
	var problems []string
	for _, fault := range f.faulted().Fired {
		if !fault.agrees() {
			problems = append(problems, fmt.Sprintf("fault %s fired %s", fault.Fault, fault))
		}
	}
	return problems
}
