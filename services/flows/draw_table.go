package flows

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// drawTable writes what carries each step in each form, in as many tables as the width takes.
func (f *Flow) drawTable(b *strings.Builder, width int) {
	names := len("answer")
	for _, row := range f.Rows {
		names = max(names, len(row.Step))
	}
	columns := f.Columns
	for len(columns) > 0 {
		n, used := 0, names
		for n < len(columns) {
			wide := 2 + f.widthOf(columns[n])
			if n > 0 && used+wide > width {
				break
			}
			used += wide
			n++
		}
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		line := func(name string, text func(Column) string) {
			cells := []string{name}
			for _, c := range columns[:n] {
				cells = append(cells, text(c))
			}
			_, _ = fmt.Fprintln(t, strings.Join(cells, "\t")) // a strings.Builder takes all
		}
		line("step", func(c Column) string { return string(c.Form) })
		for _, row := range f.Rows {
			line(string(row.Step), func(c Column) string { return f.cell(c, row.Step) })
		}
		line("answer", func(c Column) string { return c.answers(f) })
		_ = t.Flush()
		if columns = columns[n:]; len(columns) > 0 {
			b.WriteString("\n")
		}
	}
	for _, note := range f.notes() {
		b.WriteString("\n" + strings.Join(wrap(note, width), "\n") + "\n")
	}
}

// cell is what carries a step in a form, in few characters.
func (f *Flow) cell(c Column, step Step) string {
	p, err := f.Plan(c.Form)
	if err != nil { // a flow that was read has a plan for each form
		return "?"
	}
	hop, _ := p.Hop(step)
	if c.View.leavesOut(step) {
		return "in view"
	}
	if batch, ok := c.Batches[step]; ok && hop.By.IsMessage() {
		return fmt.Sprintf("%s ×%d", hop.By, batch.Size)
	}
	return string(hop.By)
}

// widthOf is how wide a form's column is.
func (f *Flow) widthOf(c Column) int {
	wide := max(len(c.Form), len(c.answers(f)))
	for _, row := range f.Rows {
		wide = max(wide, utf8.RuneCountInString(f.cell(c, row.Step)))
	}
	return wide
}

// notes say what the cells of the table leave out.
func (f *Flow) notes() []string {
	var notes []string
	for _, c := range f.Columns {
		if c.View != nil {
			notes = append(notes, fmt.Sprintf("%s: %s keeps a view of %s, fed by %s with %g updates a second. Their steps are left out when a %s is read, so the form does less than the others: it is compared by its staleness.",
				c.Form, f.Entry().Service(), strings.Join(c.View.From, ", "), c.View.Fed, c.View.Updates, f.Unit))
		}
		if outbox := f.OutboxOf(c.Form); f.SendsFromEntry(c.Form) && outbox == On {
			notes = append(notes, fmt.Sprintf("%s: %s sends its first messages from an outbox.", c.Form, f.Entry().Service()))
		} else if f.SendsFromEntry(c.Form) && outbox == Off {
			notes = append(notes, fmt.Sprintf("%s: %s sends its first messages before it answers, without an outbox.", c.Form, f.Entry().Service()))
		}
		for _, row := range f.Rows {
			if batch, ok := c.Batches[row.Step]; ok {
				notes = append(notes, fmt.Sprintf("%s: %s gets its messages in batches: up to %d, or what comes within %v of the first.", c.Form, row.Step, batch.Size, batch.Wait))
			}
		}
	}
	return notes
}

// answers says when the client is answered.
func (c Column) answers(f *Flow) string {
	p, err := f.Plan(c.Form)
	if err != nil || p.EndsInCall() {
		return "done"
	}
	return "early" // after the entry's own step, or the calls that it makes before the first message
}
