package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"tracelab/compare"
	"tracelab/compare/report"
	"tracelab/services"
)

// Look is how the text report may look.
type Look struct {
	report.Style
	Width int // columns; 0 is report.DefaultWidth
}

// WriteText writes the report for a person: the table, the differences order by order, where the time of the median
// order went, what is wrong, and what to type next.
func (r *Result) WriteText(w io.Writer, look Look) error {
	var b strings.Builder
	r.headline(&b)
	r.table(&b)
	r.differences(&b)
	r.pictures(&b, look)
	r.remarks(&b)
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

// row is one line of the table.
type row struct {
	name string
	cell func(*FormResult) string
}

func (r *Result) table(b *strings.Builder) {
	rows := []row{
		{"caller wait", func(f *FormResult) string { return report.SummaryWords(&f.CallerWait) }},
		{"  response", func(f *FormResult) string { return report.SummaryWords(&f.Response) }},
		{"completion", func(f *FormResult) string { return report.SummaryWords(&f.Completion) }},
		{"  tail", func(f *FormResult) string { return report.SummaryWords(&f.Tail) }},
		{"  queue wait", func(f *FormResult) string { return report.SummaryWords(f.QueueWait) }},
		{"completion p95", func(f *FormResult) string { return optional(f.Completion.P95) }},
		{"completion p99", func(f *FormResult) string { return optional(f.Completion.P99) }},
		{"orders placed", func(f *FormResult) string { return fmt.Sprint(f.Orders.Placed) }},
		{"  = accepted + refused", func(f *FormResult) string { return fmt.Sprintf("%d + %d", f.Orders.Accepted, f.Orders.Refused) }},
		{"  accepted = completed + failed + pending", func(f *FormResult) string {
			return fmt.Sprintf("%d + %d + %d", f.Orders.Completed, f.Orders.Failed, f.Orders.Pending)
		}},
		{"  = answered + errors + unanswered", func(f *FormResult) string {
			return fmt.Sprintf("%d + %d + %d", f.Orders.Answered, f.Orders.Errors, f.Orders.Unanswered)
		}},
		{"journeys complete + incomplete", func(f *FormResult) string { return fmt.Sprintf("%d + %d", f.Journeys, f.Incomplete) }},
		{"traces, spans", func(f *FormResult) string { return fmt.Sprintf("%d, %d", f.Traces, f.SpanCount) }},
	}
	t := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	cells := []string{""}
	for _, form := range r.order {
		cells = append(cells, string(form))
	}
	line(t, cells)
	for _, row := range rows {
		cells := []string{row.name}
		for _, form := range r.order {
			cells = append(cells, row.cell(r.Forms[form]))
		}
		line(t, cells)
	}
	_ = t.Flush() // into a strings.Builder
	b.WriteString("\nMedians with the 95 % interval of the median. Caller wait: how long the client's request took; response: the same from\n" +
		"the intended start. Completion: from there to the end of the last piece of work; tail: completion − caller wait; queue\nwait: a message's time in the broker, mean of an order's messages.\n\n")
}

// line writes a row of the table; a tabwriter keeps its first error for Flush.
func line(w io.Writer, cells []string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) }

func optional(ms *float64) string {
	if ms == nil {
		return "too few orders"
	}
	return report.Milliseconds(*ms)
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
				line(t, []string{"  " + string(form), strings.ReplaceAll(strings.TrimSuffix(measure, "_ms"), "_", " "), report.DifferenceWords(d)})
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

func (r *Result) pictures(b *strings.Builder, look Look) {
	b.WriteString("Where the time went, in the order with the median completion of each form:\n\n")
	for _, form := range r.order {
		m := r.paths[form]
		if m == nil {
			fmt.Fprintf(b, "%s: no complete journey\n\n", form)
			continue
		}
		wait, _ := m.journey.CallerWait()
		title := fmt.Sprintf("%s, order %d: the caller waited %s, all was done after %s", form, m.order.Number, report.Duration(wait), report.Duration(m.journey.Completion()))
		// Writing into a strings.Builder never fails.
		_ = report.Bars(b, title, m.journey.Set(), m.journey.CompletionPath(), look.Width, look.Style)
		b.WriteString("\n")
	}
}

func (r *Result) remarks(b *strings.Builder) {
	g := r.Generator
	fmt.Fprintf(b, "Generator: started its orders on time at %g orders/s, late by %.2f ms (p50), %.2f ms (p99), %.2f ms (max)\n", g.Rate, g.StartLagP50, g.StartLagP99, g.StartLagMax)
	if s := r.Spans; s != nil {
		fmt.Fprintf(b, "Spans of this process: started %d = exported %d + dropped %d; %d belong to several orders or none (polls, commits)\n", s.Started, s.Exported, s.Dropped, r.Shared)
	}
	if r.Sent > 0 {
		fmt.Fprintf(b, "Sent on over OTLP: %d spans\n", r.Sent)
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

func (r *Result) next(b *strings.Builder) {
	form := r.order[len(r.order)-1]
	if slices.Contains(r.order, services.Kafka) {
		form = services.Kafka
	}
	fmt.Fprintf(b, "Written to %s. Next:\n", r.Dir)
	fmt.Fprintf(b, "  go run ./cmd/tracelab journey %s --form %s     one order, span by span, over all its traces\n", r.Dir, form)
	fmt.Fprintf(b, "  go run ./cmd/tracelab compare %s               all forms against each other\n", r.Dir)
	fmt.Fprintf(b, "  go run ./cmd/tracelab run --fault payment:delay=200ms@0.5   one slow service: who feels it?\n")
}
