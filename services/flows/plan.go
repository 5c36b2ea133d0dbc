package flows

import (
	"fmt"
	"slices"
)

// Hop is how one step is led to, in one form, for units that pass through the same steps.
type Hop struct {
	Step  Step
	After []Step  // the steps that lead to it
	By    Carrier // Local when the service that holds the plan does the step itself
	Topic string  // of its message, when By is a message
	// Holder is the step behind which the service that leads here holds the plan; "" when it is whoever sees all of After done first,
	// in calls that nest.
	Holder Step
	// Join says that each of After is told by a message or call of its own, and the entry's service does the step when the last has come.
	Join bool
	// Domain is the step that began the chain of calls which this one is in: the entry, or a step that a message led to.
	Domain Step
}

// Plan is how a form is carried out: its hops in the order of the rows, without the steps that a unit does not pass through.
type Plan struct {
	Form     Form
	Callee   bool
	OneByOne bool
	Answer   Step // see Column
	Waits    bool
	Hops     []Hop
	holders  map[Step]Step
	flow     *Flow
}

// joinError is a join that nobody can do.
type joinError struct {
	step  Step
	entry string
}

// Error names the way out.
func (e *joinError) Error() string {
	return fmt.Sprintf("%s joins branches that no service holds together: only %s, the entry's service, joins such: let %s do this step, or lead to its branches by calls", e.step, e.entry, e.entry)
}

// Conditional lists the steps with when or share.
func (f *Flow) Conditional() []Step {
	var steps []Step
	for _, row := range f.Rows {
		if row.When != nil || row.Share < 1 {
			steps = append(steps, row.Step)
		}
	}
	return steps
}

// Skipped lists the steps that a unit does not pass through, by its body and by a draw for each step that depends on nothing but seed,
// number and step.
func (f *Flow) Skipped(body map[string]string, draw func(Step) float64) []Step {
	return slices.DeleteFunc(f.Conditional(), func(step Step) bool {
		row, _ := f.Row(step)
		return (row.When == nil || body[row.When.Field] == row.When.Value) && (row.Share == 1 || draw(step) < row.Share)
	})
}

// Plan works out how a form is carried out for units that do not pass through some steps. Who would lead to such a step leads to what comes
// after it.
func (f *Flow) Plan(form Form, skipped ...Step) (*Plan, error) {
	column, err := f.columnOf(form)
	if err != nil {
		return nil, err
	}
	p := &Plan{Form: form, Callee: column.Callee, OneByOne: column.OneByOne, Answer: column.Answer, Waits: column.Waits, holders: map[Step]Step{}, flow: f}
	skipped = append(slices.Clone(skipped), f.LeftOut(form)...)
	instead := map[Step][]Step{}
	for _, row := range f.Rows {
		var after []Step
		for _, step := range row.After {
			if leads, gone := instead[step]; gone {
				after = append(after, leads...)
			} else {
				after = append(after, step)
			}
		}
		slices.Sort(after)
		after = slices.Compact(after)
		if slices.Contains(skipped, row.Step) {
			instead[row.Step] = after
			continue
		}
		hop, err := p.hop(row, after, column.By[row.Step])
		if err != nil {
			return nil, err
		}
		p.Hops = append(p.Hops, hop)
	}
	return p, nil
}

// columnOf is the column of a form, or an error that names those there are.
func (f *Flow) columnOf(form Form) (Column, error) {
	if _, err := f.ParseForm(string(form)); err != nil {
		return Column{}, err
	}
	c, _ := f.Column(form)
	return c, nil
}

// hop works out who leads to a step, and how. All that lead to it are in the plan already.
func (p *Plan) hop(row Row, after []Step, by Carrier) (Hop, error) {
	h := Hop{Step: row.Step, After: after, By: by, Domain: row.Step}
	if by.IsMessage() {
		h.Topic = row.Message
	}
	if len(after) == 0 { // the entry
		p.holders[row.Step] = row.Step
		return h, nil
	}
	domains, holders := p.behind(after)
	root := domains[0]
	switch {
	case len(domains) > 1:
		return p.join(h)
	case root.Service() == row.Step.Service(): // it waits for the calls, or has made them
		h.By, h.Topic, h.Holder, h.Domain = Local, "", root, root
		if len(holders) == 1 && holders[0].Service() == row.Step.Service() {
			h.Holder = holders[0]
		}
		p.holders[row.Step] = h.Holder
		return h, nil
	case len(holders) == 1 && holders[0].Service() == row.Step.Service():
		h.By, h.Topic, h.Holder, h.Domain = Local, "", holders[0], root
		p.holders[row.Step] = holders[0]
		return h, nil
	case by.IsMessage() && len(holders) > 1:
		return p.join(h)
	case by.IsMessage():
		h.Holder = holders[0]
		p.holders[row.Step] = row.Step
		return h, nil
	}
	h.Domain = root
	if len(holders) == 1 {
		h.Holder = holders[0]
	}
	p.holders[row.Step] = root
	if p.Callee {
		p.holders[row.Step] = row.Step
	}
	return h, nil
}

// behind lists the domains of steps, and the steps behind which their plans are held, each once.
func (p *Plan) behind(steps []Step) (domains, holders []Step) {
	for _, step := range steps {
		hop, _ := p.Hop(step)
		if !slices.Contains(domains, hop.Domain) {
			domains = append(domains, hop.Domain)
		}
		if holder := p.holders[step]; !slices.Contains(holders, holder) {
			holders = append(holders, holder)
		}
	}
	return domains, holders
}

// join is a step whose branches the entry's service collects.
func (p *Plan) join(h Hop) (Hop, error) {
	if entry := p.flow.Entry().Service(); h.Step.Service() != entry {
		return h, &joinError{step: h.Step, entry: entry}
	}
	h.Join = true
	p.holders[h.Step] = h.Step
	return h, nil
}

// Hop returns the hop of a step; false for a step that is not passed through.
func (p *Plan) Hop(step Step) (Hop, bool) {
	i := slices.IndexFunc(p.Hops, func(h Hop) bool { return h.Step == step })
	if i < 0 {
		return Hop{}, false
	}
	return p.Hops[i], true
}

// Holder is the step behind which the plan is held when a step is done: who called or consumed it holds it, or the step itself.
func (p *Plan) Holder(step Step) Step { return p.holders[step] }

// EndsInCall tells whether the whole plan ends within the client's call: 201 rather than 202.
func (p *Plan) EndsInCall() bool {
	return p.Waits || !p.Early() && !slices.ContainsFunc(p.Hops, func(h Hop) bool { return h.By.IsMessage() })
}

// Early tells whether the entry's service has calls or steps of its own to make when the client has its answer.
func (p *Plan) Early() bool {
	before := p.BeforeAnswer()
	return before != nil && slices.ContainsFunc(p.Hops, func(h Hop) bool { return h.Domain == p.flow.Entry() && !before[h.Step] })
}

// BeforeAnswer returns the steps that the answer waits for; nil: for all that the entry's service holds.
func (p *Plan) BeforeAnswer() map[Step]bool {
	if p.Answer == "" {
		return nil
	}
	before := map[Step]bool{p.Answer: true}
	for _, hop := range slices.Backward(p.Hops) {
		if before[hop.Step] {
			for _, step := range hop.After {
				before[step] = true
			}
		}
	}
	return before
}

// TellsClient tells whether a failure of the step is the client's answer.
func (p *Plan) TellsClient(step Step) bool {
	before := p.BeforeAnswer()
	return p.Waits || !p.ReportsFailure(step) && (before == nil || before[step])
}

// CallsFromEntry tells whether the service that does the entry calls anybody.
func (p *Plan) CallsFromEntry() bool {
	entry := p.flow.Entry()
	return slices.ContainsFunc(p.Hops, func(h Hop) bool { return h.Domain == entry && h.Step != entry && h.By != Local })
}

// Reached lists the steps that are reached when the failed ones are not done: all but those behind them. The failed steps themselves were
// tried, so they are in the list.
func (p *Plan) Reached(failed ...Step) []Step {
	var reached []Step
	lost := map[Step]bool{}
	for _, hop := range p.Hops {
		if slices.ContainsFunc(hop.After, func(s Step) bool { return lost[s] || slices.Contains(failed, s) }) {
			lost[hop.Step] = true
			continue
		}
		reached = append(reached, hop.Step)
	}
	return reached
}

// ReportsFailure tells whether a failure of the step travels by message, because a message led to the service that holds the plan by then;
// otherwise it is the answer to a call.
func (p *Plan) ReportsFailure(step Step) bool {
	hop, ok := p.Hop(step)
	return ok && hop.Domain != p.flow.Entry()
}

// joins lists the steps whose branches are told by a message or call each. A plan that there is not has none.
func (p *Plan) joins() []Hop {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Hops), func(h Hop) bool { return !h.Join })
}
