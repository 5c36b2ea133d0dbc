package flows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// View is what a form reads in the place of steps: data of other services that the entry's service keeps in memory, fed by their messages. Who
// reads it does not do those steps, so the form does less than others; what it pays with is staleness.
type View struct {
	From    []string // services whose data it has: their steps are left out
	Fed     Carrier  // what carries their updates
	Updates float64  // a second, of all of them together
}

// Limits of a view's updates a second.
const (
	fewestUpdates = 0.1
	mostUpdates   = 1000
)

// String is the view as a file has it.
func (v View) String() string {
	from := strings.Join(v.From, ", ")
	if len(v.From) > 1 {
		from = "[" + from + "]"
	}
	return fmt.Sprintf("{from: %s, fed: %s, updates: %g/s}", from, v.Fed, v.Updates)
}

// leavesOut tells whether a step is not done, because the view has what it would bring.
func (v *View) leavesOut(step Step) bool { return v != nil && slices.Contains(v.From, step.Service()) }

// ViewTopic takes the updates of a view, from the services whose data it has to the entry's.
func (f *Flow) ViewTopic() string { return f.Unit + ".changed" }

// Views lists the forms with a view.
func (f *Flow) Views() []Form {
	return slices.DeleteFunc(f.Forms(), func(form Form) bool { c, _ := f.Column(form); return c.View == nil })
}

// ViewOf is the view of the first of some forms that has one; nil: none has. A flow has one view at the most.
func (f *Flow) ViewOf(forms ...Form) *View {
	for _, form := range forms {
		if c, _ := f.Column(form); c.View != nil {
			return c.View
		}
	}
	return nil
}

// LeftOut lists the steps that a form does not do, because a view has what they would bring.
func (f *Flow) LeftOut(form Form) []Step {
	c, _ := f.Column(form)
	return slices.DeleteFunc(f.Steps(), func(step Step) bool { return !c.View.leavesOut(step) })
}

// ReadsView tells whether a step reads the view of a form: it comes after one that is left out, and is done.
func (f *Flow) ReadsView(form Form, step Step) bool {
	c, _ := f.Column(form)
	row, _ := f.Row(step)
	return c.View != nil && !c.View.leavesOut(step) && slices.ContainsFunc(row.After, c.View.leavesOut)
}

// readView reads {from: SERVICE, fed: CARRIER, updates: N/s}.
func (r *reader) readView(c *Column, v value) error {
	view := &View{}
	err := v.read("a view",
		member{"from", func(v value) error { return r.readFrom(view, v) }},
		member{"fed", func(v value) error {
			by, batch, err := readCarried(v)
			if err == nil && (!by.IsMessage() || batch != (Batch{})) {
				return v.wrong("updates come one by one, in messages: use kafka")
			}
			view.Fed = by
			return err
		}},
		member{"updates", func(v value) error {
			text, err := v.text()
			if err != nil {
				return err
			}
			number, perSecond := strings.CutSuffix(text, "/s")
			view.Updates, err = strconv.ParseFloat(strings.TrimSpace(number), 64)
			if !perSecond || err != nil || !(view.Updates >= fewestUpdates && view.Updates <= mostUpdates) {
				return v.wrong("%q: use how many a second, %g/s to %d/s, such as 20/s", cut(text), fewestUpdates, mostUpdates)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	for _, missing := range []error{
		v.require(len(view.From) == 0, "from", "from: accounts"), v.require(view.Fed == "", "fed", "fed: kafka"), v.require(view.Updates == 0, "updates", "updates: 20/s"),
	} {
		if missing != nil {
			return missing
		}
	}
	c.View = view
	return nil
}

// readFrom reads the services whose data a view has.
func (r *reader) readFrom(view *View, v value) error {
	values, err := v.texts()
	if err != nil {
		return err
	}
	entry := r.flow.Entry().Service()
	others := slices.DeleteFunc(r.flow.Services(), func(s string) bool { return s == Gateway || s == entry })
	for _, one := range values {
		service, err := one.text()
		switch {
		case err != nil:
			return err
		case service == entry:
			return one.wrong("%s keeps the view itself: name the services whose data it has, such as %s", entry, strings.Join(others, ", "))
		case !slices.Contains(others, service):
			return one.wrong("%s", unknown("service to have a view from,", service, others))
		case slices.Contains(view.From, service):
			return one.wrong("%s is there twice: name it once", service)
		}
		view.From = append(view.From, service)
	}
	return nil
}

// checkViews finds a second view, a view that somebody else than the entry's service would have to read, and an answer behind a step that it
// leaves out.
func (r *reader) checkViews(doc *document) error {
	views := r.flow.Views()
	for i, form := range views {
		column, _ := r.flow.Column(form)
		at := func(format string, args ...any) error {
			return doc.about(r.forms[form], "forms: "+string(form)+": view", format, args...)
		}
		if i > 0 {
			return at("the form %s has the flow's view already: a flow has one", views[0])
		}
		for _, row := range r.flow.Rows {
			if entry := r.flow.Entry().Service(); r.flow.ReadsView(form, row.Step) && row.Step.Service() != entry {
				return at("%s comes after what the view has, and only %s can read it: add %s to from", row.Step, entry, row.Step.Service())
			}
			if row.Message == r.flow.ViewTopic() {
				return r.at(doc, row.Step, "message %s is the topic of the view's updates: choose another", row.Message)
			}
		}
		if column.View.leavesOut(column.Answer) {
			return at("%s is left out, so nobody answers after it: leave answer out", column.Answer)
		}
	}
	return nil
}
