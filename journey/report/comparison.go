package report

import (
	"fmt"
	"io"
	"strings"

	"tracelab/journey"
	"tracelab/journey/internal/printable"
)

// ComparisonText writes the measures of each group with the 95 % interval of the median, the differences in words, the
// structures of the journeys, and the nodes that they are made of, those that changed first.
func ComparisonText(w io.Writer, c journey.Comparison, style Style) error {
	var b strings.Builder
	groupTable(&b, c.Groups, style)
	for _, section := range differenceSections(c) {
		heading(&b, style, section.Title)
		for _, r := range section.Rows {
			color := map[string]string{"less": green, "more": red}[r.Class]
			fmt.Fprintf(&b, "  %-11s  %s\n", r.Measure, style.paint(color, r.Words))
		}
	}
	structureLines(&b, c.Groups, style)
	nodeTables(&b, c.Nodes, style)
	if len(c.Warnings) > 0 {
		heading(&b, style, "Warnings")
		for _, text := range c.Warnings {
			fmt.Fprintf(&b, "  %s\n", printable.Escape(text))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneSidedRows says which measures only one of two groups has, because their journeys differ in kind.
func oneSidedRows(groups []journey.GroupSummary, d journey.Difference) []differenceRow {
	base, other := summaryOf(groups, d.Base), summaryOf(groups, d.Other)
	if base == nil || other == nil {
		return nil
	}
	var rows []differenceRow
	for _, m := range []struct {
		name, why string
		of        func(*journey.GroupSummary) *journey.Summary
	}{
		{"caller wait", "has no journey with a root", func(g *journey.GroupSummary) *journey.Summary { return g.CallerWait }},
		{"queue wait", "has no messages", func(g *journey.GroupSummary) *journey.Summary { return g.QueueWait }},
	} {
		has, lacks := base, other
		if m.of(base) == nil {
			has, lacks = other, base
		}
		if m.of(has) != nil && m.of(lacks) == nil {
			words := fmt.Sprintf("only of %s: %s; %s %s", printable.Escape(has.Name), SummaryWords(m.of(has)), printable.Escape(lacks.Name), m.why)
			rows = append(rows, differenceRow{Measure: m.name, Words: words, Class: "unsure"})
		}
	}
	return rows
}

// summaryOf returns the group of that name, nil when there is none.
func summaryOf(groups []journey.GroupSummary, name string) *journey.GroupSummary {
	for i := range groups {
		if groups[i].Name == name {
			return &groups[i]
		}
	}
	return nil
}

// measureWord says what a measure is called in text.
func measureWord(name string) string {
	switch name {
	case "caller_wait_ms":
		return "caller wait"
	case "completion_ms":
		return "completion"
	case "tail_ms":
		return "tail"
	case "queue_wait_ms":
		return "queue wait"
	}
	return printable.Escape(name)
}

func differenceTitle(d journey.Difference) string {
	how := "as a whole"
	if d.Paired {
		how = "pair by pair"
	}
	return fmt.Sprintf("%s against %s, %s", printable.Escape(d.Other), printable.Escape(d.Base), how)
}

func groupTable(b *strings.Builder, groups []journey.GroupSummary, style Style) {
	rows := [][]cell{{left("median [95 % interval]"), number("journeys"), number("spans"),
		left("caller wait"), left("completion"), left("tail"), left("queue wait")}}
	for _, g := range groups {
		rows = append(rows, []cell{left(printable.Escape(g.Name)), number(fmt.Sprint(g.Journeys)), number(fmt.Sprint(g.Spans)),
			left(SummaryWords(g.CallerWait)), left(SummaryWords(g.Completion)), left(SummaryWords(g.Tail)), left(SummaryWords(g.QueueWait))})
	}
	table(b, style, "", rows)
}

// SummaryWords writes a summary of milliseconds as its median and the interval: 51.2 ms [49.0 ms, 52.1 ms]. It is a dash
// for nil.
func SummaryWords(s *journey.Summary) string {
	switch {
	case s == nil || s.Median == nil:
		return "–"
	case s.Low == nil:
		return Milliseconds(*s.Median)
	}
	return fmt.Sprintf("%s [%s, %s]", Milliseconds(*s.Median), Milliseconds(*s.Low), Milliseconds(*s.High))
}

// DifferenceWords says how a difference of milliseconds came out: how much and how sure, or that it cannot be told.
func DifferenceWords(d journey.Difference) string {
	unit := "journey"
	if d.Paired {
		unit = "pair"
	}
	of := plural(unit, d.N)
	switch {
	case d.Delta == nil:
		return "no values to compare"
	case d.Low == nil:
		return fmt.Sprintf("~ %s, with %d of the 6 %ss that it takes to say", signed(*d.Delta), d.N, unit)
	case *d.Low == 0 && *d.High == 0:
		return fmt.Sprintf("~ no difference (%d %s)", d.N, of)
	case d.Verdict == journey.VerdictNone:
		return fmt.Sprintf("~ no difference shown: between %s and %s%s (%d %s)", signed(*d.Low), signed(*d.High), settle(d), d.N, of)
	}
	near, far := *d.Low, *d.High
	if d.Verdict == journey.VerdictLess {
		near, far = -*d.High, -*d.Low
	}
	return fmt.Sprintf("%s (95 %% interval: %s to %s, %d %s)", signed(*d.Delta), Milliseconds(near), Milliseconds(far), d.N, of)
}

// settle says what would settle a difference that is not shown.
func settle(d journey.Difference) string {
	n, ok := d.Enough()
	if !ok {
		return ""
	}
	unit := "journeys each"
	if d.Paired {
		unit = "pairs"
	}
	return fmt.Sprintf("; if it is %s, %d %s would show it", signed(*d.Delta), n, unit)
}

// signed writes milliseconds with the word less or more.
func signed(ms float64) string {
	switch {
	case ms < 0:
		return Milliseconds(-ms) + " less"
	case ms > 0:
		return Milliseconds(ms) + " more"
	}
	return "no difference"
}
