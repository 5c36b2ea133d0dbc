package lab

import (
	"fmt"
	"time"

	"tracelab/services"
)

// Effects counts how the steps of a form's orders were handled. Delivery is at least once.
type Effects struct {
	Once    int `json:"once"`    // steps of orders that were done once
	Skipped int `json:"skipped"` // handlings that came again and were skipped
	Twice   int `json:"twice"`   // steps of orders that were done more than once, with effect
}

// effects sums up how the steps of a form were handled.
func (r *running) effects(form services.Form) Effects {
	var sum Effects
	for _, e := range r.after.Forms[form].Effects {
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

// restarted says that the orders service was restarted during the run, and what it forgot, or "".
func (r *running) restarted() string {
	now := r.after.Orders
	if r.before.Instance == "" || now.Instance == "" || now.Instance == r.before.Instance {
		return ""
	}
	forgotten := 0 // of the orders that clients were told of, those that the new instance has not accepted
	for _, a := range r.after.Forms {
		forgotten -= a.Accepted
	}
	for _, o := range r.judge.placed {
		if o.ID != "" {
			forgotten++
		}
	}
	text := fmt.Sprintf("orders was restarted at %s, and keeps its state in memory: it forgot %s that it had accepted",
		now.Started.UTC().Format(time.TimeOnly), count(max(0, forgotten), "order", "orders"))
	if now.UnknownMessages > 0 {
		text += fmt.Sprintf(", and got %s about such orders", count(now.UnknownMessages, "message", "messages"))
	}
	return text
}
