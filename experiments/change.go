package experiments

import (
	"slices"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// WithRow returns a flow with one step changed.
func WithRow(flow *flows.Flow, step services.Step, how func(*flows.Row)) *flows.Flow {
	changed := *flow
	changed.Rows = slices.Clone(flow.Rows)
	for i := range changed.Rows {
		if changed.Rows[i].Step == step {
			how(&changed.Rows[i])
		}
	}
	return &changed
}

// WithForm returns a flow with one form changed.
func WithForm(flow *flows.Flow, form services.Form, how func(*flows.Column)) *flows.Flow {
	changed := *flow
	changed.Columns = slices.Clone(flow.Columns)
	for i := range changed.Columns {
		if changed.Columns[i].Form == form {
			how(&changed.Columns[i])
		}
	}
	return &changed
}

// change changes a form of a lab.
func change(c *lab.Config, form services.Form, how func(*flows.Column)) {
	c.Flow = WithForm(c.Flow, form, how)
}

// carryAs gives a form the carriers and the answer of another one, under its own name.
func carryAs(c *lab.Config, form, as services.Form) {
	other, ok := c.Flow.Column(as)
	if !ok {
		return
	}
	change(c, form, func(column *flows.Column) {
		*column = other
		column.Form = form
	})
}

// alike gives all forms of a lab the carriers and the answer of one.
func alike(c *lab.Config, as services.Form) {
	for _, form := range c.Forms {
		carryAs(c, form, as)
	}
}

// parseFaults reads faults as a command line has them.
func parseFaults(flow *flows.Flow, texts ...string) ([]faults.Fault, error) {
	var list []faults.Fault
	for _, text := range texts {
		f, err := services.ParseFault(flow, text)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}
