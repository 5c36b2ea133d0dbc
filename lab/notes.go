package lab

import (
	"fmt"
	"strings"
)

// Notes are what the report says beside its figures, a line each: the sums of every form, how the load was generated, and
// what a reader must know. They are for a page whose figures come from the run's directory.
func (r *Result) Notes() []string {
	var notes []string
	for _, form := range r.forms() {
		f := r.Forms[form]
		a := f.Orders
		first := fmt.Sprintf("placed %d = accepted %d + refused %d", a.Placed, a.Accepted, a.Refused)
		if a.Unknown > 0 {
			first += fmt.Sprintf(" + unknown %d", a.Unknown)
		}
		if a.Lost > 0 {
			first += fmt.Sprintf(" + lost %d", a.Lost)
		}
		notes = append(notes, fmt.Sprintf("%s: %s; accepted %d = completed %d + failed %d + pending %d; placed %d = answered %d + errors %d + unanswered %d; steps done once %d, again and skipped %d, twice with effect %d",
			form, first, a.Accepted, a.Completed, a.Failed, a.Pending, a.Placed, a.Answered, a.Errors, a.Unanswered, f.Effects.Once, f.Effects.Skipped, f.Effects.Twice))
		if f.Attempts != nil {
			notes = append(notes, fmt.Sprintf("%s: steps tried again, messages put with the dead letters: %s", form, f.Attempts))
		}
	}
	for _, line := range r.callLines() {
		notes = append(notes, "Calls, as the services counted them: "+line)
	}
	notes = append(append(notes, r.firedLines()...), r.weatherLines()...)
	var b strings.Builder
	r.relationChanged(&b)
	r.remarks(&b)
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSpace(line); line != "" {
			notes = append(notes, line)
		}
	}
	return notes
}
