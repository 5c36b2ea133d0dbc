package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// Bounds of a comparison in Markdown: a comment on a pull request takes 65,536 characters.
const (
	maxMarkdown      = 60_000
	maxMarkdownRoots = 20
	maxMarkdownNodes = 15
)

// WriteMarkdown writes the comparison for a comment on a pull request: the gate's checks, the measures of each root, and the
// nodes that changed. It leaves out, and counts, what would make the comment too long.
func (r Comparison) WriteMarkdown(w io.Writer) error {
	c := r.Of
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", format.Markdown(comparisonTitle(c)))
	if r.Gate != nil {
		gateMarkdown(&b, r.Gate)
	}
	parts := comparisonParts(c)
	for _, p := range parts[:min(len(parts), maxMarkdownRoots)] {
		if b.Len() > maxMarkdown/2 {
			break
		}
		p.markdown(&b)
	}
	if more := len(parts) - maxMarkdownRoots; more > 0 {
		fmt.Fprintf(&b, "and %d more roots\n\n", more)
	}
	for _, text := range oneSidedLines(c) {
		fmt.Fprintf(&b, "- %s\n", format.Markdown(text))
	}
	for _, text := range c.Warnings {
		fmt.Fprintf(&b, "- %s\n", format.Markdown(text))
	}
	text := b.String()
	if len(text) > maxMarkdown {
		cut := strings.LastIndexByte(text[:maxMarkdown], '\n') + 1
		text = text[:cut] + "\n… cut here: it is too long for a comment\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func gateMarkdown(b *strings.Builder, g *Gate) {
	fmt.Fprintf(b, "**Gate %s**\n\n| outcome | limit | of | result |\n|---|---|---|---|\n", format.Markdown(g.headline()))
	for _, c := range g.Checks {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.Outcome, format.Markdown(c.Limit.String()), format.Markdown(g.subject(c)), format.Markdown(c.Words()))
	}
	b.WriteString("\n")
}

func (p comparisonPart) markdown(b *strings.Builder) {
	if p.Title != "" {
		fmt.Fprintf(b, "#### %s\n\n", format.Markdown(p.Title))
	}
	incomplete := slices.ContainsFunc(p.groups, func(g compare.GroupSummary) bool { return g.LeftOut() > 0 })
	b.WriteString("| median | journeys |")
	if incomplete {
		b.WriteString(" incomplete |")
	}
	b.WriteString(" spans |")
	names := measureNames(p.groups)
	for _, m := range names {
		fmt.Fprintf(b, " %s |", format.Markdown(compare.MeasureWords(m)))
	}
	b.WriteString("\n|---|--:|" + map[bool]string{true: "--:|"}[incomplete] + "--:|" + strings.Repeat("---|", len(names)) + "\n")
	for i := range p.groups {
		g := &p.groups[i]
		fmt.Fprintf(b, "| %s | %d |", format.Markdown(g.Name), g.Journeys)
		if incomplete {
			fmt.Fprintf(b, " %d |", g.LeftOut())
		}
		fmt.Fprintf(b, " %d |", g.Spans)
		for _, m := range names {
			fmt.Fprintf(b, " %s |", format.Markdown(measureOf(g, m).String()))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, s := range p.Differences {
		for _, row := range s.Rows {
			fmt.Fprintf(b, "- %s, %s: %s\n", format.Markdown(s.Title), row.Measure, format.Markdown(row.Words))
		}
	}
	for _, list := range byGroups(p.nodes) {
		for g := 1; len(list) > 0 && g < len(list[0].Groups); g++ {
			nodeMarkdown(b, list, g)
		}
	}
	b.WriteString("\n")
}

func nodeMarkdown(b *strings.Builder, nodes []compare.Node, g int) {
	nodes = changedFirst(nodes, g)
	twins := twinNames(nodes)
	n := 0
	for _, x := range nodes {
		if x.Groups[g].Change == compare.ChangeSame {
			continue
		}
		if n++; n == 1 {
			fmt.Fprintf(b, "\n<details><summary>Nodes of %s: %s</summary>\n\n| change | service | node | count | own time | queue wait |\n|---|---|---|--:|--:|--:|\n", format.Markdown(x.Groups[g].Group), changeCounts(nodes, g))
		}
		if n > maxMarkdownNodes {
			continue
		}
		a, o := x.Groups[0], x.Groups[g]
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", o.Change, format.Markdown(x.Service), format.Markdown(rowName(x, a, o, twins)),
			fromTo(fmt.Sprint(a.Count), fmt.Sprint(o.Count)), shiftWords(x, g, a.Self, o.Self), shiftWords(x, g, a.Wait, o.Wait))
	}
	if more := n - maxMarkdownNodes; more > 0 {
		fmt.Fprintf(b, "\nand %d more that changed\n", more)
	}
	if n > 0 {
		b.WriteString("\n</details>\n")
	}
}
