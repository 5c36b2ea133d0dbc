package report

import (
	"fmt"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// comparisonPart is the part of a comparison about one root, or all of it where journeys are not split by root.
type comparisonPart struct {
	Title       string // the root, "" where there is one part
	Differences []differenceSection
	groups      []compare.GroupSummary
	nodes       []compare.Node
	differences []compare.Difference
}

// maxRootParts bounds the roots in text and on a page. JSON has all of them.
const maxRootParts = 50

func comparisonParts(c compare.Comparison) []comparisonPart {
	if c.Roots == nil && c.OneSided == nil {
		return []comparisonPart{newComparisonPart("", c.Groups, c.Differences, c.Nodes)}
	}
	var parts []comparisonPart
	for _, r := range c.Roots {
		parts = append(parts, newComparisonPart(r.Root.String(), r.Groups, r.Differences, r.Nodes))
	}
	return parts
}

func newComparisonPart(title string, groups []compare.GroupSummary, differences []compare.Difference, nodes []compare.Node) comparisonPart {
	return comparisonPart{title, differenceSections(groups, differences), groups, nodes, differences}
}

// oneSidedLines name the roots that are not compared, and how many journeys of them each group has.
func oneSidedLines(c compare.Comparison) []string {
	var lines []string
	for i, r := range c.OneSided {
		if i == maxRootParts {
			return append(lines, fmt.Sprintf("and %d more roots that one side does not have", len(c.OneSided)-i))
		}
		var has []string
		for g, n := range r.Journeys[:min(len(r.Journeys), len(c.Groups))] {
			has = append(has, fmt.Sprintf("%s in %s", journeyCount(n, r.LeftOut(g)), c.Groups[g].Name))
		}
		lines = append(lines, fmt.Sprintf("%s is not compared: %s", r.Root, strings.Join(has, ", ")))
	}
	return lines
}

// journeyCount writes how many journeys there are, and how many more are incomplete.
func journeyCount(n, incomplete int) string {
	if incomplete == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d (+ %d incomplete)", n, incomplete)
}

// text writes the measures of each group, the differences in words, the structures and the nodes.
func (p comparisonPart) text(b *strings.Builder, style format.Style, colorOf func(string) GroupColor) {
	if p.Title != "" {
		heading(b, style, "── "+format.Escape(p.Title)+" ──")
	}
	groupTable(b, p.groups, style, colorOf)
	for _, section := range p.Differences {
		heading(b, style, section.Title)
		for _, row := range section.Rows {
			color := map[string]format.Color{"less": format.Green, "more": format.Red}[row.Class]
			for i, line := range format.Wrap(row.Words, style.Columns()-15) {
				name := map[bool]string{true: row.Measure}[i == 0]
				fmt.Fprintf(b, "  %-11s  %s\n", name, style.Paint(color, line))
			}
		}
	}
	structureLines(b, p.groups, style)
	nodeTables(b, p.nodes, style)
}

// mixTable writes how many journeys of each root each group has. Groups with several roots are not compared as a whole.
func mixTable(b *strings.Builder, c compare.Comparison, style format.Style) {
	rows := [][]cell{{left("root")}}
	for _, g := range c.Groups {
		rows[0] = append(rows[0], number(format.Escape(shorten(g.Name, maxNameWidth))))
	}
	add := func(root compare.Root, counts []string) {
		row := []cell{left(shorten(format.Escape(root.String()), 2*maxNameWidth))}
		for _, n := range counts {
			row = append(row, number(n))
		}
		rows = append(rows, row)
	}
	for i, r := range c.Roots {
		if i == maxRootParts {
			break
		}
		var counts []string
		for _, g := range c.Groups {
			n, lost := 0, 0
			if s := summaryOf(r.Groups, g.Name); s != nil {
				n, lost = s.Journeys, s.LeftOut()
			}
			counts = append(counts, journeyCount(n, lost))
		}
		add(r.Root, counts)
	}
	for i, r := range c.OneSided {
		if i == maxRootParts {
			break
		}
		var counts []string
		for g, n := range r.Journeys[:min(len(r.Journeys), len(c.Groups))] {
			counts = append(counts, journeyCount(n, r.LeftOut(g)))
		}
		add(r.Root, counts)
	}
	b.WriteString(style.Paint(format.Bold, "Journeys by root: each is compared with its own kind, and the whole with nothing") + "\n")
	figureTable(b, style, "  ", 1, rows)
	if more := max(0, len(c.Roots)-maxRootParts) + max(0, len(c.OneSided)-maxRootParts); more > 0 {
		fmt.Fprintf(b, "  and %d more roots\n", more)
	}
}
