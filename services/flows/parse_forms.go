package flows

import (
	"slices"
	"strings"
)

func (r *reader) readDefault(v *value) error {
	if v == nil {
		r.flow.Default = r.flow.Columns[len(r.flow.Columns)-1].Form
		if slices.Contains(r.flow.Forms(), Hybrid) {
			r.flow.Default = Hybrid
		}
		return nil
	}
	text, err := v.text()
	if err != nil {
		return err
	}
	if _, err := r.flow.ParseForm(text); err != nil {
		return v.wrong("%s", unknown("form", text, words(r.flow.Forms())))
	}
	r.flow.Default = Form(text)
	return nil
}

func (r *reader) readForms(v value) error {
	pairs, err := v.pairs("forms")
	if err != nil {
		return err
	}
	if len(pairs) > maxForms {
		return v.wrong("%d forms: use at most %d", len(pairs), maxForms)
	}
	r.each = map[Form]carried{}
	for _, p := range pairs {
		if !formName.MatchString(p.key) || slices.Contains(takenForms, p.key) {
			return p.value.doc.about(p.token, p.value.field, "a form's name has small letters, digits and dashes, at most 30, a letter first, and is none of %s", strings.Join(takenForms, ", "))
		}
		r.forms[Form(p.key)] = p.token
		column, err := r.readForm(Form(p.key), p.value)
		if err != nil {
			return err
		}
		r.flow.Columns = append(r.flow.Columns, column)
	}
	return nil
}

// readForm reads what carries each step: each, and the steps that are carried otherwise.
func (r *reader) readForm(form Form, v value) (Column, error) {
	c := Column{Form: form, By: map[Step]Carrier{}, Batches: map[Step]Batch{}}
	var plan, arrange string
	members := []member{
		{"each", func(v value) error {
			each, batch, err := readCarried(v)
			r.each[form] = carried{each, batch}
			for _, row := range r.flow.Rows {
				if c.By[row.Step] == "" {
					c.carry(row.Step, each, batch)
				}
			}
			return err
		}},
		{"answer", func(v value) error { return r.readAnswer(&c, v) }},
		{"plan", oneOf(&plan, "caller", "callee")},
		{"arrange", oneOf(&arrange, "together", "one by one")},
		{"view", func(v value) error { return r.readView(&c, v) }},
		{"outbox", readSwitch(&c.Outbox)},
	}
	for _, row := range r.flow.Rows {
		members = append(members, member{string(row.Step), func(v value) error {
			by, batch, err := readCarried(v)
			c.carry(row.Step, by, batch)
			return err
		}})
	}
	if err := v.read("a form", members...); err != nil {
		return c, err
	}
	c.Callee, c.OneByOne = plan == "callee", arrange == "one by one"
	for _, row := range r.flow.Rows {
		if c.By[row.Step] == "" {
			return c, v.doc.about(r.forms[form], v.field, "nothing says what carries %s: name its carrier, or one for all with each: one of %s", row.Step, strings.Join(words(Carriers()), ", "))
		}
	}
	return c, nil
}

// readAnswer reads done, or after STEP.
func (r *reader) readAnswer(c *Column, v value) error {
	text, err := v.text()
	if err != nil {
		return err
	}
	step, after := strings.CutPrefix(text, "after ")
	switch {
	case text == "done":
		c.Waits = true
	case !after:
		return v.wrong("%q: write done, or after STEP, such as after %s", cut(text), r.flow.Entry())
	case r.steps[Step(step)] == nil:
		return v.wrong("%s", unknown("step", step, r.sortedSteps()))
	default:
		c.Answer = Step(step)
	}
	return nil
}

// carried is what carries a step, and in which batches.
type carried struct {
	by    Carrier
	batch Batch
}

// carry notes what carries a step. Batch is not zero when its messages are handled together.
func (c *Column) carry(step Step, by Carrier, batch Batch) {
	c.By[step] = by
	delete(c.Batches, step)
	if batch != (Batch{}) {
		c.Batches[step] = batch
	}
}
