package lab

import (
	"fmt"
	"slices"

	"tracelab/services"
)

// reportProblems lists what is not as it should be: accounts, answers, journeys, and what went wrong on the way. What comes of something that was
// done to a part of the lab is listed apart.
func (r *running) reportProblems(result *Result) {
	result.Problems = append(result.Problems, r.away...) // what follows comes of it
	if text := r.restarted(); text != "" {               // what follows comes of it
		r.tell(result, text, r.ended(r.Flow.Entry().Service()))
	}
	for _, form := range r.Forms {
		r.formProblems(result, form)
	}
	r.tellOfWaiting(result)
	if result.Damaged > 0 {
		result.Problems = append(result.Problems, count(result.Damaged, "batch", "batches")+" of spans could not be read")
	}
	r.linkProblems(result)
	for _, h := range r.happened {
		if h.Error != "" {
			result.Problems = append(result.Problems, "event "+h.Event+" failed: "+h.Error)
		}
	}
	if n := len(r.Events) - len(r.happened); n > 0 {
		result.Problems = append(result.Problems, count(n, "event", "events")+" did not happen: the run was ended before")
	}
	result.Problems = append(result.Problems, r.problems...)
}

// tell notes a finding: as a problem, or as one that an event or a fault explains.
func (r *running) tell(result *Result, text, event string) {
	if event == "" {
		result.Problems = append(result.Problems, text)
		return
	}
	result.Explained = append(result.Explained, fmt.Sprintf("%s (comes of %s)", text, event))
}

// formProblems lists what is not as it should be in a form.
func (r *running) formProblems(result *Result, form services.Form) {
	f, name := result.Forms[form], string(form)+": "
	for _, problem := range f.Orders.Imbalances() {
		result.Problems = append(result.Problems, name+problem)
	}
	if pending := f.Orders.pending(result.unit()); pending != "" {
		r.tell(result, name+pending, r.explainsAll(form, func(o *record) bool { return o.status == services.Accepted }, r.explainsEnd))
	}
	if problem := f.Effects.problem(); problem != "" { // no event excuses that
		result.Problems = append(result.Problems, name+problem+r.forgottenEffects(r.after.Forms[form].Effects, r.ended))
	}
	for _, problem := range f.firedProblems() {
		result.Problems = append(result.Problems, name+problem)
	}
	// A breaker, a bulkhead or a queue that refuses others after a fault has hit some does what it is there for.
	faulted := slices.ContainsFunc(r.judge.records[form], func(o *record) bool { return o != nil && o.placed && len(r.hits(o.key)) > 0 })
	if missing := r.judge.unexplained(form, func(o *record) bool {
		return len(r.hits(o.key)) > 0 || r.explainsAnswer(o) != "" || faulted && services.RefusedCall(o.Error)
	}); missing != "" {
		result.Problems = append(result.Problems, name+missing)
	}
	if text := r.explainedAnswers(form); text != "" {
		result.Explained = append(result.Explained, name+text)
	}
	r.incompleteJourneys(result, form)
}

// incompleteJourneys tells of journeys that are incomplete, those that one event or fault explains apart from the others.
func (r *running) incompleteJourneys(result *Result, form services.Form) {
	byEvent, eventOf := map[string]int{}, map[*record]string{}
	for _, o := range r.judge.records[form] {
		if o != nil && o.placed && o.Incomplete != "" {
			eventOf[o] = r.explainsEnd(o)
			byEvent[eventOf[o]]++
		}
	}
	for _, event := range sortedKeys(byEvent) { // "" is first: what nothing explains
		n := byEvent[event]
		why := r.judge.whyIncomplete(form, func(o *record) bool { return eventOf[o] == event }, r.whySpansLack(event))
		r.tell(result, fmt.Sprintf("%s: %s incomplete and in no figure: %s", form, count(n, "journey is", "journeys are"), why), event)
	}
}

// explainsAll returns an event when each of a form's orders that are asked for is explained by one, or "".
func (r *running) explainsAll(form services.Form, asked func(*record) bool, explains func(*record) string) (event string) {
	for _, o := range r.judge.records[form] {
		if o == nil || !o.placed || !asked(o) {
			continue
		}
		if event = explains(o); event == "" {
			return ""
		}
	}
	return event
}
