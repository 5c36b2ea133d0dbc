package services

import (
	"strings"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// Step is what one service does for an order, named SERVICE.Verb: the name of its span in every form.
type Step = flows.Step

// Form is the name of one way to carry the hops of a flow.
type Form = flows.Form

// The forms that many flows have.
const (
	REST   = flows.REST
	GRPC   = flows.GRPC
	Kafka  = flows.Kafka
	Hybrid = flows.Hybrid
)

// Gateway is the service in front of every flow.
const Gateway = flows.Gateway

// work is the flow that the services of a process do, with all its plans.
type flowWork struct {
	*flows.Flow
	plans map[string]*flows.Plan // by form and the steps that are not passed through
	terms *carrier.Terms
}

// newFlowWork makes the plans of all forms, for all units.
func newFlowWork(f *flows.Flow) (*flowWork, error) {
	w := &flowWork{Flow: f, plans: map[string]*flows.Plan{}, terms: &carrier.Terms{Path: f.Path, Reasons: map[string]int{
		unprocessable(f): 422, notFound(f): 404,
	}}}
	for reason, status := range f.Reasons {
		w.terms.Reasons[reason] = status
	}
	conditional := f.Conditional()
	for mask := range 1 << len(conditional) {
		var skipped []Step
		for i, step := range conditional {
			if mask>>i&1 == 1 {
				skipped = append(skipped, step)
			}
		}
		for _, form := range f.Forms() {
			p, err := f.Plan(form, skipped...)
			if err != nil {
				return nil, err
			}
			w.plans[planKey(form, skipped)] = p
		}
	}
	return w, nil
}

// unprocessable and notFound are the reasons for a body that is wrong and an order that is not there.
func unprocessable(f *flows.Flow) string { return "unprocessable_" + f.Unit }
func notFound(f *flows.Flow) string      { return f.Unit + "_not_found" }

func planKey(form Form, skipped []Step) string {
	key := string(form)
	for _, step := range skipped {
		key += " " + string(step)
	}
	return key
}

// plan is how an order is carried out. The experiment's form is one of the flow's.
func (w *flowWork) plan(e Experiment, body map[string]string) *flows.Plan {
	return w.plans[planKey(e.Form, e.Skipped(w.Flow, body))]
}

// named gives a failure the words of the flow.
func (w *flowWork) named(failed *carrier.Failed) *carrier.Failed {
	if failed.Terms != nil {
		return failed
	}
	return &carrier.Failed{Failures: failed.Failures, OrderID: failed.OrderID, Answer: failed.Answer, RetryAfter: failed.RetryAfter, Terms: w.terms}
}

// a is the unit with its article.
func (w *flowWork) a() string {
	if strings.ContainsAny(w.Unit[:1], "aeio") {
		return "an " + w.Unit
	}
	return "a " + w.Unit
}

// Skipped lists the steps of a flow that the order does not pass through: the same in every form.
func (e Experiment) Skipped(f *flows.Flow, body map[string]string) []Step {
	return f.Skipped(body, func(step Step) float64 { return e.Draw("share", string(step)).Float64() })
}

func asSteps(names []string) []Step {
	steps := make([]Step, len(names))
	for i, name := range names {
		steps[i] = Step(name)
	}
	return steps
}

func asNames(steps []Step) []string {
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = string(step)
	}
	return names
}

// receiptOf is the answer to a call that did one step.
func receiptOf(handling *orderpb.Handling) *orderpb.Receipt {
	return &orderpb.Receipt{Steps: []string{handling.GetStep()}, Handlings: []*orderpb.Handling{handling}}
}
