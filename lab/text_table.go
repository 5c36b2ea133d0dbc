package lab

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/services"
)

// row is one line of a table: a name, and a cell for each form.
type row struct {
	name string
	cell func(*FormResult) string
}

func (r *Result) table(b *strings.Builder) {
	b.WriteString("Medians, with the 95 % interval of the median:\n\n")
	r.rows(b, r.measureRows())
	fmt.Fprintf(b, "\n  caller wait  how long the client's request took; response counts from the intended start\n"+
		"  completion   from the client's start to the end of the last piece of work; tail is what comes after the answer\n"+
		"  queue wait   from the broker's acknowledgement to the consumer's start, mean of %s's messages\n\n", r.unit().one())
	fmt.Fprintf(b, "%s, by their own state and the client's answers (not by spans):\n\n", capital(r.unit().many()))
	r.rows(b, r.orderRows())
	b.WriteString("\n")
}

// measureRows are the medians and percentiles.
func (r *Result) measureRows() []row {
	return []row{
		{"caller wait", func(f *FormResult) string { return f.interval(&f.CallerWait) }},
		{"  response", func(f *FormResult) string { return f.interval(&f.Response) }},
		{"completion", func(f *FormResult) string { return f.interval(&f.Completion) }},
		{"  tail", func(f *FormResult) string { return f.interval(&f.Tail) }},
		{"  queue wait", func(f *FormResult) string { return f.interval(f.QueueWait) }},
		{"caller wait p95", func(f *FormResult) string { return f.percentile(f.CallerWait.P95, 20, r.unit()) }},
		{"caller wait p99", func(f *FormResult) string { return f.percentile(f.CallerWait.P99, 100, r.unit()) }},
		{"completion p95", func(f *FormResult) string { return f.percentile(f.Completion.P95, 20, r.unit()) }},
		{"completion p99", func(f *FormResult) string { return f.percentile(f.Completion.P99, 100, r.unit()) }},
	}
}

// orderRows are the sums of orders, and what was judged of them.
func (r *Result) orderRows() []row {
	orders := []row{
		r.placedRow(),
		{"accepted = completed + failed + pending", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d + %d", f.Orders.Accepted, f.Orders.Completed, f.Orders.Failed, f.Orders.Pending)
		}},
		{"placed = answered + errors + unanswered", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d + %d", f.Orders.Placed, f.Orders.Answered, f.Orders.Errors, f.Orders.Unanswered)
		}},
		{"steps done once, again and skipped, twice with effect", func(f *FormResult) string {
			return fmt.Sprintf("%d, %d, %d", f.Effects.Once, f.Effects.Skipped, f.Effects.Twice)
		}},
	}
	if slices.ContainsFunc(r.forms(), func(f services.Form) bool { return r.Forms[f].Attempts != nil }) {
		orders = append(orders, row{"steps tried again, messages put with the dead letters", func(f *FormResult) string { return f.Attempts.String() }})
	}
	return append(orders, []row{
		{"journeys: complete, incomplete", func(f *FormResult) string { return fmt.Sprintf("%d, %d", f.Journeys, f.Incomplete) }},
		{"their spans, in traces", func(f *FormResult) string { return fmt.Sprintf("%d, %d", f.SpanCount, f.Traces) }},
	}...)
}

// placedRow is the first sum. Unknown orders, which no healthy run has, stand in it when there are some.
func (r *Result) placedRow() row {
	if slices.ContainsFunc(r.forms(), func(f services.Form) bool { return r.Forms[f].Orders.Lost > 0 }) {
		return row{"placed = accepted + refused + unknown + lost", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d + %d + %d", f.Orders.Placed, f.Orders.Accepted, f.Orders.Refused, f.Orders.Unknown, f.Orders.Lost)
		}}
	}
	if !slices.ContainsFunc(r.forms(), func(f services.Form) bool { return r.Forms[f].Orders.Unknown > 0 }) {
		return row{"placed = accepted + refused", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d", f.Orders.Placed, f.Orders.Accepted, f.Orders.Refused)
		}}
	}
	return row{"placed = accepted + refused + unknown", func(f *FormResult) string {
		return fmt.Sprintf("%d = %d + %d + %d", f.Orders.Placed, f.Orders.Accepted, f.Orders.Refused, f.Orders.Unknown)
	}}
}

// rows writes a table: in blocks of forms, one below the other, where the report has to fit and all of them do not.
func (r *Result) rows(b *strings.Builder, rows []row) {
	for i, forms := range r.blocks(rows) {
		if i > 0 {
			b.WriteString("\n")
		}
		r.block(b, rows, forms)
	}
}

func (r *Result) block(b *strings.Builder, rows []row, forms []services.Form) {
	t := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	cells := []string{"  "}
	for _, form := range forms {
		cells = append(cells, string(form))
	}
	line(t, cells)
	for _, row := range rows {
		name := r.nameLines(row.name)
		cells := []string{"  " + name[0]}
		for _, form := range forms {
			cells = append(cells, row.cell(r.Forms[form]))
		}
		line(t, cells)
		for _, more := range name[1:] {
			line(t, append([]string{"    " + more}, make([]string, len(forms))...))
		}
	}
	_ = t.Flush() // into a strings.Builder
}

// interval writes a summary of the form, with its mark.
func (f *FormResult) interval(s *compare.Summary) string {
	if s == nil || s.Median == nil {
		return "–"
	}
	return withMark(interval(s), f.Marked)
}

func (f *FormResult) percentile(ms *float64, needed int, u unitWord) string {
	if ms == nil {
		return percentile(ms, needed, u)
	}
	return withMark(percentile(ms, needed, u), f.Marked)
}

// interval writes a summary as its median and interval in one unit: 51.2 ms [49.0, 52.1].
func interval(s *compare.Summary) string {
	if s == nil || s.Median == nil {
		return "–"
	}
	unit, scale := "ms", 1.0
	switch m := math.Abs(*s.Median); {
	case m >= 1000:
		unit, scale = "s", 1e-3
	case m > 0 && m < 1:
		unit, scale = "µs", 1e3
	}
	number := func(ms float64) string { return significant(ms * scale) }
	if s.Low == nil {
		return number(*s.Median) + " " + unit
	}
	return fmt.Sprintf("%s %s [%s, %s]", number(*s.Median), unit, number(*s.Low), number(*s.High))
}

// significant writes three significant digits, without an exponent.
func significant(v float64) string {
	switch m := math.Abs(v); {
	case m == 0:
		return "0"
	case m < 10:
		return fmt.Sprintf("%.2f", v)
	case m < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// line writes a row of the table; a tabwriter keeps its first error for Flush.
func line(w io.Writer, cells []string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) }

// percentile says how many orders it would take when there are too few.
func percentile(ms *float64, needed int, u unitWord) string {
	if ms == nil {
		return "needs " + u.count(needed, "", "")
	}
	return format.Milliseconds(*ms)
}
