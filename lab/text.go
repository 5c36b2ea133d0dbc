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
	"tracelab/journey/report"
	"tracelab/services"
)

// WriteText writes the report for a person: the table, the differences order by order, where the time of the median
// order went, what is wrong, and what to type next.
func (r *Result) WriteText(w io.Writer, style format.Style) error {
	var b strings.Builder
	r.headline(&b)
	r.table(&b)
	r.differences(&b)
	r.pictures(&b, style)
	r.cpu(&b)
	r.remarks(&b)
	r.pages(&b)
	r.next(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) headline(b *strings.Builder) {
	fmt.Fprintf(b, "%d orders in each of %d forms, the same orders in all of them, interleaved at %g orders/s\n", r.Forms[r.order[0]].Orders.Placed, len(r.order), r.Rate)
	fmt.Fprintf(b, "seed %d, topology %s, relation %s, Kafka %s", r.Seed, r.Topology, r.Relation, r.Broker)
	if len(r.Faults) > 0 {
		fmt.Fprintf(b, ", faults %s", strings.Join(r.Faults, " "))
	}
	if r.WarmUp > 0 {
		fmt.Fprintf(b, "; %d warm-up orders a form are left out", r.WarmUp)
	}
	b.WriteString("\n\n")
}

// row is one line of a table: a name, and a cell for each form.
type row struct {
	name string
	cell func(*FormResult) string
}

func (r *Result) table(b *strings.Builder) {
	b.WriteString("Medians, with the 95 % interval of the median:\n\n")
	r.rows(b, []row{
		{"caller wait", func(f *FormResult) string { return interval(&f.CallerWait) }},
		{"  response", func(f *FormResult) string { return interval(&f.Response) }},
		{"completion", func(f *FormResult) string { return interval(&f.Completion) }},
		{"  tail", func(f *FormResult) string { return interval(&f.Tail) }},
		{"  queue wait", func(f *FormResult) string { return interval(f.QueueWait) }},
		{"completion p95", func(f *FormResult) string { return percentile(f.Completion.P95, 20) }},
		{"completion p99", func(f *FormResult) string { return percentile(f.Completion.P99, 100) }},
	})
	b.WriteString("\n  caller wait  how long the client's request took; response counts from the intended start\n" +
		"  completion   from the client's start to the end of the last piece of work; tail is what comes after the answer\n" +
		"  queue wait   from the broker's acknowledgement to the consumer's start, mean of an order's messages\n\n")
	b.WriteString("Orders, by their own state and the client's answers (not by spans):\n\n")
	r.rows(b, []row{
		{"placed = accepted + refused", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d", f.Orders.Placed, f.Orders.Accepted, f.Orders.Refused)
		}},
		{"accepted = completed + failed + pending", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d + %d", f.Orders.Accepted, f.Orders.Completed, f.Orders.Failed, f.Orders.Pending)
		}},
		{"placed = answered + errors + unanswered", func(f *FormResult) string {
			return fmt.Sprintf("%d = %d + %d + %d", f.Orders.Placed, f.Orders.Answered, f.Orders.Errors, f.Orders.Unanswered)
		}},
		{"journeys: complete, incomplete", func(f *FormResult) string { return fmt.Sprintf("%d, %d", f.Journeys, f.Incomplete) }},
		{"their spans, in traces", func(f *FormResult) string { return fmt.Sprintf("%d, %d", f.SpanCount, f.Traces) }},
	})
	b.WriteString("\n")
}

func (r *Result) rows(b *strings.Builder, rows []row) {
	t := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	cells := []string{"  "}
	for _, form := range r.order {
		cells = append(cells, string(form))
	}
	line(t, cells)
	for _, row := range rows {
		cells := []string{"  " + row.name}
		for _, form := range r.order {
			cells = append(cells, row.cell(r.Forms[form]))
		}
		line(t, cells)
	}
	_ = t.Flush() // into a strings.Builder
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
func percentile(ms *float64, needed int) string {
	if ms == nil {
		return fmt.Sprintf("needs %d orders", needed)
	}
	return format.Milliseconds(*ms)
}

func (r *Result) differences(b *strings.Builder) {
	if len(r.order) < 2 {
		return
	}
	base := baseFirst(r.order)[0]
	fmt.Fprintf(b, "Against %s, order by order:\n", base)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, form := range r.order {
		if form == base {
			continue
		}
		for _, measure := range []string{"caller_wait_ms", "completion_ms"} {
			if d, ok := r.difference(base, form, measure); ok {
				line(t, []string{"  " + string(form), strings.ReplaceAll(strings.TrimSuffix(measure, "_ms"), "_", " "), d.String()})
			}
		}
	}
	_ = t.Flush()
	b.WriteString("\n")
}

// difference finds a comparison.
func (r *Result) difference(base, other services.Form, measure string) (compare.Difference, bool) {
	i := slices.IndexFunc(r.Comparisons, func(d compare.Difference) bool {
		return d.Measure == measure && d.Base == string(base) && d.Other == string(other)
	})
	if i < 0 {
		return compare.Difference{}, false
	}
	return r.Comparisons[i], true
}

func (r *Result) pictures(b *strings.Builder, style format.Style) {
	b.WriteString("Where the time went, in the order with the median completion of each form:\n\n")
	for _, form := range r.order {
		m := r.paths[form]
		if m == nil {
			fmt.Fprintf(b, "%s: no complete journey\n\n", form)
			continue
		}
		wait, _ := m.journey.CallerWait()
		title := fmt.Sprintf("%s, order %d: the caller waited %s, the last work ended after", form, m.order.Number, format.Duration(wait))
		// Writing into a strings.Builder never fails.
		bars := report.Bars{Title: title, Set: m.journey.Set(), Path: m.journey.CompletionPath(), Marks: report.Answer(m.journey)}
		_ = bars.WriteText(b, style)
		b.WriteString("\n")
	}
}

func (r *Result) remarks(b *strings.Builder) {
	g := r.Generator
	verdict := "it is on time at this rate"
	if g.Late() {
		verdict = "it is late at this rate"
	}
	fmt.Fprintf(b, "Generator at %g orders/s: start lag %.2f ms (p50), %.2f ms (p99), %.2f ms (max): %s\n", g.Rate, g.StartLagP50, g.StartLagP99, g.StartLagMax, verdict)
	if s := r.Spans; s != nil {
		fmt.Fprintf(b, "Spans of this process: started %d = exported %d + dropped %d; %s\n", s.Started, s.Exported, s.Dropped, r.shared())
	}
	if r.Sent > 0 {
		fmt.Fprintf(b, "Sent on over OTLP: %d spans\n", r.Sent)
	}
	if r.fetched {
		meanwhile := ""
		if r.followed {
			meanwhile = ", since the run is long also while orders were placed, which takes some of the machine's time"
		}
		fmt.Fprintf(b, "Fetched from Jaeger: %d spans of the services%s\n", r.Fetched, meanwhile)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(b, "Records that could not be decoded and were skipped: %d\n", r.Skipped)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(b, "Warning: %s\n", warning)
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(b, "PROBLEM: %s\n", problem)
	}
	b.WriteString("\n")
}

// shared says how many spans belong to several orders or to none.
func (r *Result) shared() string {
	if r.fetched {
		return "polls and commits carry no run and are not fetched from Jaeger"
	}
	return fmt.Sprintf("%d belong to several orders or none (polls, commits)", r.Shared)
}

// pages lists the addresses in Jaeger.
func (r *Result) pages(b *strings.Builder) {
	p := r.Jaeger
	if p == nil {
		return
	}
	b.WriteString("In Jaeger:")
	if r.Relation == "link" {
		b.WriteString(" (an order is several traces, tied by links; a page shows the first)")
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, form := range r.order {
		if page, ok := p.Medians[form]; ok {
			line(t, []string{fmt.Sprintf("  %s, the order drawn above", form), page})
		}
	}
	if c := p.Comparison; c != nil {
		line(t, []string{fmt.Sprintf("  %s against %s, order %d", c.Base, c.Other, c.Order), c.URL})
	}
	line(t, []string{"  every order of the run", p.Search})
	_ = t.Flush()
	b.WriteString("\n")
}

func (r *Result) next(b *strings.Builder) {
	form := r.order[len(r.order)-1]
	if slices.Contains(r.order, services.Kafka) {
		form = services.Kafka
	}
	fmt.Fprintf(b, "Written to %s. Next:\n", r.Dir)
	t := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	line(t, []string{fmt.Sprintf("  go run ./cmd/tracelab journey %s --form %s", r.Dir, form), "one order, span by span, over all its traces"})
	line(t, []string{"  go run ./cmd/tracelab compare " + r.Dir, "all measures of all forms"})
	line(t, []string{"  go run ./cmd/tracelab run --fault payment:delay=200ms@0.5", "one slow service: who feels it?"})
	_ = t.Flush()
}
