package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/services"
	"tracelab/services/flows"
)

// Effects counts how the steps of a form's orders were handled. Delivery is at least once.
type Effects struct {
	Once    int `json:"once"`    // steps of orders that were done once; those with an undo, in each generation of an order
	Skipped int `json:"skipped"` // handlings that came again and were skipped
	Twice   int `json:"twice"`   // steps of orders that were done more than once, with effect
}

// Attempts counts what was tried again, and what was given up for good, in a form.
type Attempts struct {
	Retried     int `json:"retried"`      // attempts at steps behind the first ones, as far as orders has heard
	DeadLetters int `json:"dead_letters"` // messages of orders that were put aside; those of no order are in records_skipped
	// BegunAnew counts how often orders that had failed and were undone began anew, because a dead letter of theirs was sent back.
	BegunAnew int `json:"begun_anew,omitempty"`
}

// attempts is nil when nothing of the kind happened.
func (r *running) attempts(form services.Form) *Attempts {
	a := r.after.Forms[form]
	if a.Retried == 0 && a.DeadLetters == 0 {
		return nil
	}
	return &Attempts{a.Retried, a.DeadLetters, a.BegunAnew}
}

// String says it in a cell of the table.
func (a *Attempts) String() string {
	if a == nil {
		return "0, 0"
	}
	text := fmt.Sprintf("%d, %d", a.Retried, a.DeadLetters)
	if a.BegunAnew > 0 {
		text += fmt.Sprintf("; %d begun anew", a.BegunAnew)
	}
	return text
}

// effects sums up how the steps of a form were handled.
func (r *running) effects(form services.Form) Effects { return sumEffects(r.after.Forms[form].Effects) }

// sumEffects sums up how steps were handled.
func sumEffects(of map[services.Step]services.Effect) Effects {
	var sum Effects
	for _, e := range of {
		sum.Once += e.Once
		sum.Skipped += e.Skipped
		sum.Twice += e.Twice
	}
	return sum
}

// problem says that steps were done more than once, or "".
func (e Effects) problem() string {
	if e.Twice == 0 {
		return ""
	}
	return count(e.Twice, "step was", "steps were") + " done more than once, with effect"
}

// forgottenEffects says that steps may have been done again because their service was ended, which had remembered in memory what it had done; ended
// says what ended a service, "" for nothing. It is "" when no such service was ended, or what it remembers outlives it.
func (c Config) forgottenEffects(of map[services.Step]services.Effect, ended func(service string) string) string {
	if c.Store != "" {
		return ""
	}
	var ends []string
	for step, e := range of {
		if end := ended(step.Service()); e.Twice > 0 && end != "" {
			ends = append(ends, end)
		}
	}
	if len(ends) == 0 {
		return ""
	}
	slices.Sort(ends)
	return fmt.Sprintf(" (as may come of %s: effects that were in memory were forgotten; --store keeps them in a file or a PostgreSQL)",
		strings.Join(slices.Compact(ends), ", "))
}

// restarted says that the orders service was restarted during the run, and what it forgot, or "".
func (r *running) restarted() string {
	now := r.after.Orders
	if r.before.Instance == "" || now.Instance == "" || now.Instance == r.before.Instance {
		return ""
	}
	forgotten := 0
	for _, form := range r.Forms { // also those of which the new instance knows nothing
		forgotten += r.lost(form)
	}
	return restartedText(r.Flow, now, forgotten)
}

// restartedText says that the service of the entry step was restarted, and how many of its units it has forgotten.
func restartedText(f *flows.Flow, now services.OrdersInstance, forgotten int) string {
	text := fmt.Sprintf("%s was restarted at %s, and keeps its state in memory: it forgot %s that it had accepted",
		f.Entry().Service(), now.Started.UTC().Format(time.TimeOnly), unitOf(f).count(forgotten, "", ""))
	if now.UnknownMessages > 0 {
		text += fmt.Sprintf(", and got %s about such %s", count(now.UnknownMessages, "message", "messages"), unitOf(f).many())
	}
	return text
}

// lost is how many orders of a form an earlier instance of orders had accepted, by what it or the clients told, that the last one does not know.
func (r *running) lost(form services.Form) int {
	if now := r.after.Orders.Instance; !r.unread && (r.before.Instance == "" || now == "" || now == r.before.Instance) {
		return 0
	}
	lost := -r.after.Forms[form].Accepted
	for _, o := range r.judge.records[form] {
		if o != nil && o.placed && (o.ID != "" || o.status != "") {
			lost++
		}
	}
	return max(0, lost)
}
