package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// maxNodeRows bounds the table of nodes in text. JSON has all of them.
const maxNodeRows = 60

// nodeTables writes a table of nodes for each group but the first of each comparison.
func nodeTables(b *strings.Builder, nodes []compare.Node, style format.Style) {
	for _, list := range byGroups(nodes) {
		if len(list) == 0 {
			continue
		}
		for g := 1; g < len(list[0].Groups); g++ {
			nodeTable(b, list, g, style)
		}
	}
}

// byGroups splits nodes where their groups change: the nodes of several comparisons may stand in one list.
func byGroups(nodes []compare.Node) [][]compare.Node {
	var lists [][]compare.Node
	for from, i := 0, 1; i <= len(nodes); i++ {
		if i == len(nodes) || nodes[from].Root != nodes[i].Root || !slices.EqualFunc(nodes[from].Groups, nodes[i].Groups, func(a, b compare.NodeIn) bool { return a.Group == b.Group }) {
			lists = append(lists, nodes[from:i])
			from = i
		}
	}
	return lists
}

// changedFirst returns the nodes that a group or its base has, ordered by change, then by how much of the difference of the
// mean completion they explain.
func changedFirst(nodes []compare.Node, g int) []compare.Node {
	sorted := slices.DeleteFunc(slices.Clone(nodes), func(n compare.Node) bool { return n.Groups[0].Count+n.Groups[g].Count == 0 })
	weight := func(n compare.Node) float64 { return math.Abs(deltaOf(n.Groups[g].Path.Completion).Mean) }
	slices.SortStableFunc(sorted, func(a, b compare.Node) int {
		return cmp.Or(cmp.Compare(a.Groups[g].Change.Rank(), b.Groups[g].Change.Rank()), cmp.Compare(weight(b), weight(a)))
	})
	return sorted
}

// deltaOf returns how much a time differs: not at all in the first group, and where nothing was compared.
func deltaOf(t compare.NodeTime) compare.NodeDelta {
	if t.Delta == nil {
		return compare.NodeDelta{Verdict: compare.VerdictNone}
	}
	return *t.Delta
}

func nodeTable(b *strings.Builder, nodes []compare.Node, g int, style format.Style) {
	if nodes = changedFirst(nodes, g); len(nodes) == 0 {
		return
	}
	base, other := format.Escape(nodes[0].Groups[0].Group), format.Escape(nodes[0].Groups[g].Group)
	heading(b, style, fmt.Sprintf("Nodes, %s against %s: %s", other, base, changeCounts(nodes, g)))
	rows := [][]cell{{left("change"), left("service"), left("node"), number("count"), number("errors"), number("own time"), number("queue wait"), number("response path"), number("completion path")}}
	twins := twinNames(nodes)
	for _, n := range nodes[:min(len(nodes), maxNodeRows)] {
		rows = append(rows, nodeRow(n, g, twins))
	}
	rows = append(rows, sumRow(nodes, g))
	figureTable(b, style, "  ", 3, withoutEmptyColumns(rows))
	if more := len(nodes) - maxNodeRows; more > 0 {
		fmt.Fprintf(b, "  and %d more nodes\n", more)
	}
	b.WriteString(style.Paragraph("  ", "  ", fmt.Sprintf("Own time and queue wait: the median over the journeys of %s that have the node, and how much more (+) or less (−) that is in %s; ~ where the 95 %% interval of the difference includes 0. Slower and faster go by own time, or else by queue wait: of nodes that are the same, up to 1 in 20 is named by chance.", base, other)))
	b.WriteString(style.Paragraph("  ", "  ", fmt.Sprintf("Times on a path: means over all journeys, %s → %s. What is not there counts 0, and they add up to the mean caller wait and completion.", base, other)))
}

// withoutEmptyColumns leaves out the columns that have only a heading and dashes.
func withoutEmptyColumns(rows [][]cell) [][]cell {
	var kept []int
	for i := range rows[0] {
		if slices.ContainsFunc(rows[1:], func(row []cell) bool { return row[i].text != "–" && row[i].text != "" }) {
			kept = append(kept, i)
		}
	}
	list := make([][]cell, len(rows))
	for k, row := range rows {
		for _, i := range kept {
			list[k] = append(list[k], row[i])
		}
	}
	return list
}

// twinNames counts the nodes with one service and name.
func twinNames(nodes []compare.Node) map[[2]string]int {
	counts := make(map[[2]string]int)
	for _, n := range nodes {
		counts[[2]string{n.Service, n.Name}]++
	}
	return counts
}

func changeCounts(nodes []compare.Node, g int) string {
	counts := make(map[compare.Change]int)
	var order []compare.Change
	for _, n := range nodes { // sorted by change
		c := n.Groups[g].Change
		if counts[c] == 0 {
			order = append(order, c)
		}
		counts[c]++
	}
	words := make([]string, len(order))
	for i, c := range order {
		words[i] = fmt.Sprintf("%d %s", counts[c], c)
	}
	return strings.Join(words, ", ")
}

// changeColor is red for what is worse, green for what is better.
func changeColor(c compare.Change) format.Color {
	switch c {
	case compare.ChangeIncomplete, compare.ChangeError, compare.ChangeSlower:
		return format.Red
	case compare.ChangeFaster:
		return format.Green
	case compare.ChangeCarrier:
		return format.Cyan
	case compare.ChangeAdded, compare.ChangeRemoved, compare.ChangeFanOut:
		return format.Yellow
	case compare.ChangeSame:
	}
	return format.Plain
}

func nodeRow(n compare.Node, g int, twins map[[2]string]int) []cell {
	a, o := n.Groups[0], n.Groups[g]
	name := rowName(n, a, o, twins)
	return []cell{
		{text: string(o.Change), color: changeColor(o.Change)},
		left(shorten(format.Escape(n.Service), maxServiceWidth)), left(name),
		number(fromTo(fmt.Sprint(a.Count), fmt.Sprint(o.Count))), number(fromTo(fmt.Sprint(a.Errors), fmt.Sprint(o.Errors))),
		number(shiftWords(n, g, a.Self, o.Self)), number(shiftWords(n, g, a.Wait, o.Wait)),
		number(times(a.Path.Response, o.Path.Response)), number(times(a.Path.Completion, o.Path.Completion)),
	}
}

// rowName returns a node's name for a table, with the node above it if several nodes share the name.
func rowName(n compare.Node, a, o compare.NodeIn, twins map[[2]string]int) string {
	name := nodeName(a, o)
	if twins[[2]string{n.Service, n.Name}] > 1 && len(n.Path) > 1 {
		name += ", after " + shortName(n.Path[len(n.Path)-2])
	}
	return name
}

// nodeName returns a node's name in both groups, and how it is reached where that is the change.
func nodeName(a, o compare.NodeIn) string {
	name := shortName(cmp.Or(a.Name, o.Name))
	if a.Name != "" && o.Name != "" && a.Name != o.Name {
		name += " → " + shortName(o.Name)
	}
	if o.Change == compare.ChangeCarrier {
		name += " (" + a.Carrier + " → " + o.Carrier + ")"
	}
	return name
}

// shortName returns a name cut for a table.
func shortName(name string) string { return shorten(format.Escape(name), maxNameWidth) }

func sumRow(nodes []compare.Node, g int) []cell {
	var sums [4]compare.NodeTime // response and completion, of both groups
	for _, n := range nodes {
		for i, t := range []compare.NodeTime{n.Groups[0].Path.Response, n.Groups[g].Path.Response, n.Groups[0].Path.Completion, n.Groups[g].Path.Completion} {
			sums[i].Mean += t.Mean
		}
	}
	return []cell{left("sum"), left(""), left(""), left(""), left(""), left(""), left(""), number(times(sums[0], sums[1])), number(times(sums[2], sums[3]))}
}

// shiftWords writes a time of a node by the statistic that decides whether it is slower or faster: the median of the base,
// and how much the group differs. For a node that only one of them has, it writes the median there.
func shiftWords(n compare.Node, g int, a, o compare.NodeTime) string {
	switch {
	case n.Groups[0].Count == 0 || n.Groups[g].Count == 0:
		return fromTo(typical(a), typical(o))
	case typical(a) == "0 s" && typical(o) == "0 s":
		return "–"
	}
	words := typical(a)
	switch d := o.Shift; {
	case d == nil || d.Median == nil || d.Verdict == compare.VerdictNone:
		return words + " ~"
	case d.Verdict == compare.VerdictLess:
		return words + " −" + format.Nanoseconds(-*d.Median)
	default:
		return words + " +" + format.Nanoseconds(*d.Median)
	}
}

func typical(t compare.NodeTime) string {
	if t.Typical == nil {
		return "0 s"
	}
	return format.Nanoseconds(*t.Typical)
}

func times(a, o compare.NodeTime) string {
	return fromTo(format.Nanoseconds(a.Mean), format.Nanoseconds(o.Mean))
}

// fromTo writes a figure of both groups: once where they are equal, a dash where both are 0.
func fromTo(a, o string) string {
	switch {
	case a == o && (a == "0" || a == "0 s"):
		return "–"
	case a == o:
		return a
	}
	if a == "0 s" {
		a = "0"
	}
	if o == "0 s" {
		o = "0"
	}
	return a + " → " + o
}
