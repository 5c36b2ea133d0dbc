package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// comparisonPage is what comparison.tmpl shows.
type comparisonPage struct {
	Title    string
	About    []string
	Gate     *gateView
	Squares  []squareView
	Parts    []pagePart
	Warnings []string
	Findings []lint.Finding
}

// gateView is what a gate decided.
type gateView struct {
	Headline string
	Rows     [][4]string // outcome, limit, what it is of, and the figures
}

// pagePart is a comparison of the journeys of one root, or of all.
type pagePart struct {
	Title       string // "" where there is one part
	Groups      []groupView
	Differences []differenceSection
	Timelines   []*Timeline
	Paths       []pathView
	Histograms  []histogram
	Structures  []structureView
	Nodes       []nodeSection
}

type groupView struct {
	Name, Journeys, Spans string
	Color                 string // #rrggbb, "" for none
	Incomplete            int
	Figures               []figure
}

type differenceSection struct {
	Title string
	Rows  []differenceRow
}

type differenceRow struct{ Measure, Words, Class string }

type structureView struct{ Group, Color, Share, Words string }

type nodeSection struct {
	ID, Title, Base, Other, Counts string
	Rows                           []nodeRowView
	Sums                           [4]string
	More                           int
}

type nodeRowView struct {
	Change, Class, Service, Name, Path string
	Order                              int // the row's place before the reader sorts the table
	Cells                              []numberView
}

// numberView is a figure of both groups, and the number by which it is sorted: the difference.
type numberView struct {
	Label, Text string
	Sort        float64
	Class       string // the verdict on a time; none where there is no figure
}

func newComparisonPage(r Comparison) comparisonPage {
	c := r.Of
	p := comparisonPage{Title: format.Escape(titled(cmp.Or(r.Title, comparisonTitle(c)), r.From))}
	if r.Gate != nil {
		p.Gate = &gateView{Headline: r.Gate.headline()}
		for _, x := range r.Gate.Checks {
			p.Gate.Rows = append(p.Gate.Rows, [4]string{string(x.Outcome), format.Escape(x.Limit.String()), r.Gate.subject(x), format.Escape(x.Words())})
		}
	}
	for _, s := range r.Squares {
		p.Squares = append(p.Squares, r.newSquareView(s))
	}
	parts := comparisonParts(c)
	for _, part := range parts[:min(len(parts), maxRootParts)] {
		p.Parts = append(p.Parts, r.pagePart(part))
	}
	if more := len(parts) - maxRootParts; more > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%d more roots are in JSON only", more))
	}
	for _, w := range append(oneSidedLines(c), c.Warnings...) {
		p.Warnings = append(p.Warnings, format.Escape(w))
	}
	return p
}

func (r Comparison) pagePart(c comparisonPart) pagePart {
	p := pagePart{Title: format.Escape(c.Title), Differences: c.Differences, Histograms: histograms(c.groups, r.colorOf), Structures: structureViews(c.groups, r.colorOf)}
	var longest time.Duration
	for _, g := range c.groups {
		view := newGroupView(g)
		view.Color = r.colorOf(g.Name).Hex
		p.Groups = append(p.Groups, view)
		if g.Example != nil {
			longest = max(longest, g.Example.Completion())
		}
	}
	for _, g := range c.groups {
		if g.Example != nil {
			t := NewTimeline(g.Example, TimelineOptions{Title: g.Name, Total: longest})
			t.Color = r.colorOf(g.Name).Hex
			p.Timelines = append(p.Timelines, t)
			p.Paths = append(p.Paths, newPathView("Completion path of "+format.Escape(g.Name), g.Example.Set(), g.Example.CompletionPath()))
		}
	}
	for _, list := range byGroups(c.nodes) {
		if len(list) == 0 {
			continue
		}
		for g := 1; g < len(list[0].Groups); g++ {
			if nodes := changedFirst(list, g); len(nodes) > 0 {
				p.Nodes = append(p.Nodes, newNodeSection(nodes, g, len(p.Nodes)))
			}
		}
	}
	return p
}

// titled adds to a page's title what it is of, where that is known.
func titled(title, from string) string {
	if from == "" {
		return title
	}
	return title + " – " + from
}

// comparisonTitle names what is compared: each base with the groups that are compared with it.
func comparisonTitle(c compare.Comparison) string {
	type side struct {
		base   string
		others []string
	}
	var sides []side
	add := func(base, other string) {
		i := slices.IndexFunc(sides, func(s side) bool { return s.base == base })
		if i < 0 {
			i = len(sides)
			sides = append(sides, side{base: base})
		}
		if !slices.Contains(sides[i].others, other) {
			sides[i].others = append(sides[i].others, other)
		}
	}
	for _, d := range c.Differences {
		add(d.Base, d.Other)
	}
	if len(sides) == 0 && len(c.Groups) > 1 {
		for _, g := range c.Groups[1:] {
			add(c.Groups[0].Name, g.Name)
		}
	}
	if len(sides) == 0 {
		return "Nothing to compare"
	}
	var titles []string
	for _, s := range sides {
		titles = append(titles, format.Escape(strings.Join(s.others, ", ")+" against "+s.base))
	}
	return strings.Join(titles, "; ")
}

func newGroupView(g compare.GroupSummary) groupView {
	v := groupView{Name: format.Escape(g.Name), Journeys: fmt.Sprint(g.Journeys), Incomplete: g.LeftOut(), Spans: fmt.Sprint(g.Spans)}
	for _, m := range g.Measures {
		f := figure{Name: measureWords(m.Measure), Value: "–"}
		if s := m.Summary; s != nil && s.Median != nil {
			f.Value = compare.Value(m.Measure, *s.Median)
			if s.Low != nil && s.High != nil {
				f.Note = compare.Value(m.Measure, *s.Low) + " to " + compare.Value(m.Measure, *s.High)
			}
			if m.Doubtful {
				f.Value += " " + compare.Doubtful
			}
		}
		v.Figures = append(v.Figures, f)
	}
	return v
}

func differenceSections(groups []compare.GroupSummary, differences []compare.Difference) []differenceSection {
	var list []differenceSection
	for i, d := range differences {
		if i == 0 || d.Other != differences[i-1].Other || d.Base != differences[i-1].Base {
			list = append(list, differenceSection{Title: differenceTitle(d)})
		}
		s := &list[len(list)-1]
		s.Rows = append(s.Rows, differenceRow{measureWords(d.Measure), d.String(), verdictClass(d.Verdict)})
		if i+1 == len(differences) || differences[i+1].Other != d.Other || differences[i+1].Base != d.Base {
			s.Rows = append(s.Rows, oneSidedRows(groups, d)...)
		}
	}
	return list
}

func verdictClass(v compare.Verdict) string {
	switch v {
	case compare.VerdictLess:
		return "less"
	case compare.VerdictMore:
		return "more"
	case compare.VerdictSame, compare.VerdictNone:
	}
	return "unsure"
}

func structureViews(groups []compare.GroupSummary, colorOf func(string) GroupColor) []structureView {
	var list []structureView
	for _, g := range groups {
		name, color := format.Escape(g.Name), colorOf(g.Name).Hex
		for i, s := range g.Structures {
			if i == maxStructures {
				list = append(list, structureView{Words: fmt.Sprintf("and %d more", len(g.Structures)-i)})
				break
			}
			list = append(list, structureView{name, color, percent(int64(s.Journeys), int64(g.Journeys)), structureWords(s, i == 0)})
			name, color = "", ""
		}
	}
	return list
}

// maxNodeViews bounds the nodes on a page. JSON has all of them.
const maxNodeViews = 500

// newNodeSection shows how nodes changed in group g, in the order given.
func newNodeSection(nodes []compare.Node, g, number int) nodeSection {
	s := nodeSection{
		ID: fmt.Sprintf("nodes%d", number), Base: format.Escape(nodes[0].Groups[0].Group), Other: format.Escape(nodes[0].Groups[g].Group),
		Counts: changeCounts(nodes, g), More: max(0, len(nodes)-maxNodeViews),
	}
	s.Title = s.Other + " against " + s.Base
	twins := twinNames(nodes)
	for i, n := range nodes[:min(len(nodes), maxNodeViews)] {
		s.Rows = append(s.Rows, newNodeRowView(n, g, i, twins))
	}
	sums := sumRow(nodes, g)
	s.Sums[2], s.Sums[3] = sums[len(sums)-2].text, sums[len(sums)-1].text
	return s
}

func newNodeRowView(n compare.Node, g, order int, twins map[[2]string]int) nodeRowView {
	a, o := n.Groups[0], n.Groups[g]
	r := nodeRowView{Change: string(o.Change), Class: string(o.Change), Service: format.Escape(n.Service), Name: rowName(n, a, o, twins), Order: order}
	var path []string
	for _, p := range n.Path {
		path = append(path, format.Escape(p))
	}
	r.Path = strings.Join(path, " › ")
	r.Cells = []numberView{
		{"count", fromTo(fmt.Sprint(a.Count), fmt.Sprint(o.Count)), float64(o.Count - a.Count), ""},
		{"errors", fromTo(fmt.Sprint(a.Errors), fmt.Sprint(o.Errors)), float64(o.Errors - a.Errors), ""},
	}
	for _, t := range []struct {
		label string
		a, o  compare.NodeTime
	}{{"own time", a.Self, o.Self}, {"queue wait", a.Wait, o.Wait}} {
		r.Cells = append(r.Cells, shiftView(t.label, n, g, t.a, t.o))
	}
	for _, t := range []struct {
		label string
		a, o  compare.NodeTime
	}{{"on response path", a.Path.Response, o.Path.Response}, {"on completion path", a.Path.Completion, o.Path.Completion}} {
		r.Cells = append(r.Cells, numberView{t.label, times(t.a, t.o), t.o.Mean - t.a.Mean, ""})
	}
	for i := range r.Cells {
		if r.Cells[i].Text == "–" {
			r.Cells[i].Class = "none"
		}
	}
	return r
}

// shiftView shows a time of a node with the difference that decides whether it is slower or faster, and sorts by that.
func shiftView(label string, n compare.Node, g int, a, o compare.NodeTime) numberView {
	v := numberView{Label: label, Text: shiftWords(n, g, a, o), Class: "unsure"}
	switch {
	case o.Shift != nil && o.Shift.Median != nil:
		v.Sort, v.Class = *o.Shift.Median, verdictClass(o.Shift.Verdict)
	case o.Typical != nil:
		v.Sort = *o.Typical
	case a.Typical != nil:
		v.Sort = -*a.Typical
	}
	return v
}
