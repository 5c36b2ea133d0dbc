package flows

import "slices"

// Switch is something that a file may turn on or off.
type Switch int

// What a file says of a switch.
const (
	Unsaid Switch = iota
	On
	Off
)

// OutboxOf tells whether the first messages of a form's units go out by way of an outbox: what the form says, else what the flow says.
func (f *Flow) OutboxOf(form Form) Switch {
	if c, _ := f.Column(form); c.Outbox != Unsaid {
		return c.Outbox
	}
	return f.Outbox
}

// HasOutbox tells whether the file turns an outbox on in any form.
func (f *Flow) HasOutbox() bool {
	return slices.ContainsFunc(f.Forms(), func(form Form) bool { return f.OutboxOf(form) == On && f.SendsFromEntry(form) })
}

// SendsFromEntry tells whether the service of the entry step sends messages in a form: what an outbox is for.
func (f *Flow) SendsFromEntry(form Form) bool {
	p, err := f.Plan(form)
	return err == nil && slices.ContainsFunc(p.Hops, func(h Hop) bool {
		return h.By.IsMessage() && slices.ContainsFunc(h.After, func(s Step) bool { return p.Holder(s) == f.Entry() })
	})
}

// readSwitch reads on or off.
func readSwitch(to *Switch) func(value) error {
	return func(v value) error {
		text, err := v.text()
		if err != nil {
			return err
		}
		switch text {
		case "on":
			*to = On
		case "off":
			*to = Off
		default:
			return v.wrong("%q: write on or off", cut(text))
		}
		return nil
	}
}

// checkOutbox finds an outbox that would do nothing.
func (r *reader) checkOutbox(doc *document) error {
	f := r.flow
	for _, c := range f.Columns {
		if c.Outbox != Unsaid && !f.SendsFromEntry(c.Form) {
			return doc.about(r.forms[c.Form], "forms: "+string(c.Form)+": outbox", "%s sends no messages in this form: leave outbox out", f.Entry().Service())
		}
	}
	if f.Outbox != Unsaid && !slices.ContainsFunc(f.Forms(), f.SendsFromEntry) {
		return &Error{File: doc.file, Field: "outbox", Problem: f.Entry().Service() + " sends no messages in any form: leave outbox out"}
	}
	return nil
}
