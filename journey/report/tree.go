package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
)

// maxTreeSpans bounds the tree in text: more lines than that nobody reads. JSON has everything.
const maxTreeSpans = 400

// treeNode is a span to be written, under the cause that it is shown at.
type treeNode struct {
	span  journey.Index
	depth int
	via   *journey.Edge // nil at the top
}

// tree writes the spans of a journey.
func tree(b *strings.Builder, j *journey.Journey, style format.Style) {
	rows := [][]cell{{number("start"), number("duration"), left("span")}}
	for _, n := range treeNodes(j, maxTreeSpans) {
		rows = append(rows, treeRow(j, n))
	}
	table(b, style, "  ", rows)
	if more := j.Len() - (len(rows) - 1); more > 0 {
		fmt.Fprintf(b, "  and %d more spans\n", more)
	}
}

// treeNodes returns the spans of a journey, each once, over all traces, depth first, and no more than limit: under its parent
// where that caused it, else under the cause that was ready last.
func treeNodes(j *journey.Journey, limit int) []treeNode {
	below := make(map[journey.Index][]treeNode)
	for _, i := range j.Spans() {
		via := shownCause(j, i)
		at := journey.Index(-1)
		if via != nil {
			at = via.From
		}
		below[at] = append(below[at], treeNode{span: i, via: via})
	}
	var list []treeNode
	stack := slices.Clone(below[-1])
	slices.Reverse(stack)
	for len(stack) > 0 && len(list) < limit {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		list = append(list, n)
		children := below[n.span]
		for k := len(children) - 1; k >= 0; k-- {
			children[k].depth = n.depth + 1
			stack = append(stack, children[k])
		}
	}
	return list
}

// shownCause returns the edge to a span under which it is shown, or nil for a span that nothing in the journey led to.
func shownCause(j *journey.Journey, i journey.Index) *journey.Edge {
	var best *journey.Edge
	parent, hasParent := j.Set().Parent(i)
	for e := range j.Set().Causes(i) {
		if !j.Contains(e.From) {
			continue
		}
		if hasParent && e.From == parent {
			return &e
		}
		if best == nil || e.Ready > best.Ready {
			best = &e
		}
	}
	return best
}

func treeRow(j *journey.Journey, n treeNode) []cell {
	set := j.Set()
	span := set.Span(n.span)
	start, end := set.Times(n.span)
	text := strings.Repeat("  ", min(n.depth, 30)) + format.Escape(span.Service) + "  " + format.Escape(span.Name)
	c := left(text)
	var notes []string
	if n.via != nil {
		notes = viaNotes(set, n, start)
	}
	if span.Status == journey.StatusError {
		notes = append(notes, strings.TrimRight("error: "+format.Escape(span.StatusMessage), ": "))
		c.color = format.Red
	}
	if len(notes) > 0 {
		c.text += "  [" + strings.Join(notes, ", ") + "]"
	}
	return []cell{number(format.Duration(time.Duration(start - j.Start()))), number(format.Duration(time.Duration(end - start))), c}
}

// viaNotes tells how a span was reached, unless by a plain call within its trace.
func viaNotes(set *journey.Set, n treeNode, start int64) []string {
	var notes []string
	switch e := n.via; e.Class {
	case journey.ClassCall:
	case journey.ClassMessage:
		note := "message, queue wait " + format.Duration(time.Duration(start-e.Ready))
		if start < e.Ready {
			note = "message, delivered " + format.Duration(time.Duration(e.Ready-start)) + " before its acknowledgement"
		}
		notes = append(notes, note)
	default:
		notes = append(notes, e.Class.String())
	}
	if trace := set.Span(n.span).Trace; trace != set.Span(n.via.From).Trace {
		notes = append(notes, "trace "+trace.String())
	}
	return notes
}
