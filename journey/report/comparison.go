package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// Comparison is a report of a comparison.
type Comparison struct {
	Of       compare.Comparison
	Title    string         // of a page; "": what is compared
	About    []string       // where the traces come from, a line each
	Findings []lint.Finding // of lint's rules in the traces, for the end of a page
	From     string         // what all groups are parts of, such as a run, for the title of a page; "" for nothing
	Gate     *Gate          // the outcome of limits; nil without any
	Squares  []Square       // of four of the groups, for a page

	// Color gives each group its own color, by its name: on pages and in terminals. Nil gives none.
	Color func(group string) GroupColor
}

// GroupColor is the color of one group. The zero value is none.
type GroupColor struct {
	Hex      string       // #rrggbb, on pages
	Terminal format.Color // begins it in a terminal
}

// colorOf returns a group's color.
func (r Comparison) colorOf(group string) GroupColor {
	if r.Color == nil {
		return GroupColor{}
	}
	return r.Color(group)
}

// WriteText writes the gate's outcome; then, for each root, the measures of each group with the 95 % interval of the median,
// the differences in words, the structures of the journeys, and the nodes that they are made of, those that changed first.
func (r Comparison) WriteText(w io.Writer, style format.Style) error {
	c := r.Of
	var b strings.Builder
	for _, line := range r.About {
		b.WriteString(style.Paragraph("", "  ", format.Escape(line)))
	}
	if len(r.About) > 0 {
		b.WriteString("\n")
	}
	gateText(&b, r.Gate, style)
	parts := comparisonParts(c)
	if c.Roots != nil || c.OneSided != nil {
		mixTable(&b, c, style)
	}
	for i, p := range parts {
		if i == maxRootParts {
			fmt.Fprintf(&b, "\nand %d more roots\n", len(parts)-i)
			break
		}
		p.text(&b, style, r.colorOf)
	}
	if len(c.Warnings) > 0 {
		heading(&b, style, "Warnings")
		for _, text := range c.Warnings {
			b.WriteString(style.Paragraph("  ", "    ", format.Escape(text)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// oneSidedRows says which measures only one of two groups has, because their journeys differ in kind.
func oneSidedRows(groups []compare.GroupSummary, d compare.Difference) []differenceRow {
	base, other := summaryOf(groups, d.Base), summaryOf(groups, d.Other)
	if base == nil || other == nil {
		return nil
	}
	var rows []differenceRow
	for _, m := range base.Measures {
		if m.Lacking == "" || (m.Summary == nil) == (other.Of(m.Measure) == nil) {
			continue
		}
		has, lacks := base, other
		if m.Summary == nil {
			has, lacks = other, base
		}
		words := fmt.Sprintf("only of %s: %s; %s %s", format.Escape(has.Name), measureOf(has, m.Measure), format.Escape(lacks.Name), format.Escape(m.Lacking))
		rows = append(rows, differenceRow{Measure: measureWords(m.Measure), Words: words, Class: "unsure"})
	}
	return rows
}

// measureOf returns a measure of a group, without a summary when the group does not have it.
func measureOf(g *compare.GroupSummary, measure string) compare.MeasureSummary {
	for _, m := range g.Measures {
		if m.Measure == measure {
			return m
		}
	}
	return compare.MeasureSummary{Measure: measure}
}

// measureNames returns the measures of all groups, in the order in which they come.
func measureNames(groups []compare.GroupSummary) []string {
	var names []string
	for _, g := range groups {
		for _, m := range g.Measures {
			if !slices.Contains(names, m.Measure) {
				names = append(names, m.Measure)
			}
		}
	}
	return names
}

// summaryOf returns the group of that name, nil when there is none.
func summaryOf(groups []compare.GroupSummary, name string) *compare.GroupSummary {
	for i := range groups {
		if groups[i].Name == name {
			return &groups[i]
		}
	}
	return nil
}

// measureWords returns the name of a measure in text.
func measureWords(name string) string { return format.Escape(compare.MeasureWords(name)) }

func differenceTitle(d compare.Difference) string {
	how := "as a whole"
	if d.Paired {
		how = "pair by pair"
	}
	return fmt.Sprintf("%s against %s, %s", format.Escape(d.Other), format.Escape(d.Base), how)
}

func groupTable(b *strings.Builder, groups []compare.GroupSummary, style format.Style, colorOf func(string) GroupColor) {
	head := []cell{left("median [95 % interval]"), number("journeys")}
	incomplete := slices.ContainsFunc(groups, func(g compare.GroupSummary) bool { return g.LeftOut() > 0 })
	if incomplete {
		head = append(head, number("incomplete"))
	}
	head = append(head, number("spans"))
	measures := measureNames(groups)
	for _, m := range measures {
		head = append(head, left(measureWords(m)))
	}
	rows := [][]cell{head}
	for i := range groups {
		g := &groups[i]
		row := []cell{{text: format.Escape(g.Name), color: colorOf(g.Name).Terminal}, number(fmt.Sprint(g.Journeys))}
		if incomplete {
			row = append(row, number(fmt.Sprint(g.LeftOut())))
		}
		row = append(row, number(fmt.Sprint(g.Spans)))
		for _, m := range measures {
			row = append(row, left(measureOf(g, m).String()))
		}
		rows = append(rows, row)
	}
	figureTable(b, style, "", 1, rows)
}
