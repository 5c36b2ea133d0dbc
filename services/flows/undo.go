package flows

import "slices"

// Undoes lists what takes a unit back in a form whose failure a call told of, the last step first: calls of the undos of the steps that the
// service holding the plan may have led to, and the carrier of the message that tells the others, "" when there are none. The failed steps are
// those that surely were not done. A hop's After is the step that is taken back.
func (p *Plan) Undoes(failed ...Step) (calls []Hop, byMessage Carrier) {
	reached := p.Reached(failed...)
	for _, hop := range slices.Backward(p.Hops) {
		row, _ := p.flow.Row(hop.Step)
		if row.Undo == nil || slices.Contains(failed, hop.Step) || !slices.Contains(reached, hop.Step) {
			continue
		}
		if hop.Domain != p.flow.Entry() {
			led, _ := p.Hop(hop.Domain)
			byMessage = led.By
			continue
		}
		by := hop.By
		if hop.Step.Service() == p.flow.Entry().Service() {
			by = Local
		} else if by == Local { // its service was called for the step before it
			holder, _ := p.Hop(hop.Holder)
			by = holder.By
		}
		calls = append(calls, Hop{Step: row.Undo.Step, After: []Step{hop.Step}, By: by})
	}
	return calls, byMessage
}

// UndoneBy lists the undos that are done when some steps fail for good and the others that are reached are done.
func (p *Plan) UndoneBy(failed ...Step) []Step {
	var undos []Step
	for _, step := range p.Reached(failed...) {
		if row, _ := p.flow.Row(step); row.Undo != nil && !slices.Contains(failed, step) {
			undos = append(undos, row.Undo.Step)
		}
	}
	return undos
}

// MayFailBeside tells whether a step that neither leads to this one nor comes of it may fail: then the unit may have failed before this one is
// begun.
func (f *Flow) MayFailBeside(step Step) bool {
	return slices.ContainsFunc(f.Rows, func(r Row) bool { return r.Step != step && !f.leadsTo(r.Step, step) && !f.leadsTo(step, r.Step) })
}

// leadsTo tells whether a step comes, by way of others, of another.
func (f *Flow) leadsTo(from, to Step) bool {
	row, _ := f.Row(to)
	return slices.ContainsFunc(row.After, func(s Step) bool { return s == from || f.leadsTo(from, s) })
}
