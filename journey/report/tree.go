package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
)

// maxTreeSpans bounds the tree in text: nobody reads more lines than that. JSON has everything.
const maxTreeSpans = 400

// treeNode is a span in the tree.
type treeNode struct {
	span  journey.Index
	depth int
	via   *journey.Edge // from the cause under which it is shown; nil at the top
}

// tree writes the spans of a journey, with their attributes if those are asked for.
func tree(b *strings.Builder, j *journey.Journey, attributes bool, style format.Style) {
	rows := [][]cell{{number("start"), number("duration"), left("span")}}
	nodes := treeNodes(j, maxTreeSpans)
	for _, n := range nodes {
		rows = append(rows, treeRow(j, n))
		if attributes {
			rows = append(rows, attributeRows(j, n)...)
		}
	}
	table(b, style, "  ", rows)
	if more := j.Len() - len(nodes); more > 0 {
		fmt.Fprintf(b, "  and %d more spans\n", more)
	}
}

// treeNodes returns the spans of a journey, each once, over all traces, depth first, and no more than limit: under its parent
// where that caused it, else under the cause that was ready last.
func treeNodes(j *journey.Journey, limit int) []treeNode {
	spans := j.Spans()
	below := newChildren(j, spans)
	var list []treeNode
	type place struct {
		at    int32 // position in spans
		depth int
	}
	var stack []place
	push := func(positions []int32, depth int) {
		for _, at := range slices.Backward(positions[:min(len(positions), limit)]) { // no more than that are written
			stack = append(stack, place{at, depth})
		}
	}
	push(below.of(-1), 0)
	for len(stack) > 0 && len(list) < limit {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := treeNode{span: spans[p.at], depth: p.depth}
		if via, ok := shownCause(j, n.span); ok {
			n.via = &via
		}
		list = append(list, n)
		push(below.of(p.at), p.depth+1)
	}
	return list
}

// children lists for each span of a journey, by position, those that are shown under it.
type children struct {
	list []int32
	ends []int32 // those under position at are list[ends[at]:ends[at+1]], shifted by one for those under nothing
}

func newChildren(j *journey.Journey, spans []journey.Index) children {
	up := make([]int32, len(spans)) // position + 1 of the span above, 0 for none
	c := children{list: make([]int32, len(spans)), ends: make([]int32, len(spans)+2)}
	for at, i := range spans {
		if via, ok := shownCause(j, i); ok {
			above, _ := j.Position(via.From)
			up[at] = int32(above) + 1
		}
		c.ends[up[at]+1]++
	}
	for k := 1; k < len(c.ends); k++ {
		c.ends[k] += c.ends[k-1]
	}
	next := slices.Clone(c.ends)
	for at := range spans {
		c.list[next[up[at]]] = int32(at)
		next[up[at]]++
	}
	return c
}

// of returns the positions under a position, or those under none for -1.
func (c children) of(at int32) []int32 { return c.list[c.ends[at+1]:c.ends[at+2]] }

// shownCause returns the edge to a span under which it is shown, and false for a span that nothing in the journey led to.
func shownCause(j *journey.Journey, i journey.Index) (best journey.Edge, found bool) {
	set := j.Set()
	parent, hasParent := set.Parent(i)
	for e := range set.Causes(i) {
		if !j.Contains(e.From) {
			continue
		}
		if hasParent && e.From == parent {
			return e, true
		}
		if !found || e.Ready > best.Ready {
			best, found = e, true
		}
	}
	return best, found
}

func treeRow(j *journey.Journey, n treeNode) []cell {
	set := j.Set()
	span := set.Span(n.span)
	start, end := set.Times(n.span)
	text := strings.Repeat("  ", min(n.depth, 30)) + format.Escape(span.ServiceName()) + "  " + format.Escape(span.Name)
	c := left(text)
	var notes []string
	if n.via != nil {
		notes = viaNotes(set, n)
	}
	notes = append(notes, relatedNotes(j, n.span)...)
	if span.Status == journey.StatusError {
		notes = append(notes, strings.TrimRight("error: "+format.Escape(span.StatusMessage), ": "))
		c.color = format.Red
	}
	if len(notes) > 0 {
		c.text += "  [" + strings.Join(notes, ", ") + "]"
	}
	return []cell{number(format.Duration(time.Duration(start - j.Start()))), number(format.Duration(time.Duration(end - start))), c}
}

// viaNotes says how a span was reached, unless by a plain call within its trace.
func viaNotes(set *journey.Set, n treeNode) []string {
	var notes []string
	switch e := n.via; e.Class {
	case journey.ClassCall:
	case journey.ClassMessage:
		arrived := set.Arrived(e.From, n.span)
		note := "message, queue wait " + format.Duration(time.Duration(arrived-e.Ready))
		if arrived < e.Ready {
			note = "message, delivered " + format.Duration(time.Duration(e.Ready-arrived)) + " before its acknowledgement"
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

// maxRelated is how many related links of one span are written, each way. JSON has all of them.
const maxRelated = 3

// relatedNotes lists a span's links that are not causes, both ways, and says whether it handled a reply.
func relatedNotes(j *journey.Journey, i journey.Index) []string {
	set := j.Set()
	var notes []string
	if waiter, ok := j.ReplyTo(i); ok {
		notes = append(notes, "reply to "+relatedName(set, waiter))
	}
	to, from := set.Related(i)
	for _, way := range []struct {
		word string
		list []journey.Index
	}{{"links to ", to}, {"linked from ", from}} {
		for k, other := range way.list {
			if k == maxRelated {
				notes = append(notes, fmt.Sprintf("%sand %d more", way.word, len(way.list)-k))
				break
			}
			note := way.word + relatedName(set, other)
			if trace := set.Span(other).Trace; trace != set.Span(i).Trace {
				note += " of trace " + trace.String()
			}
			notes = append(notes, note)
		}
	}
	return notes
}

func relatedName(set *journey.Set, i journey.Index) string {
	span := set.Span(i)
	return bounded(span.ServiceName()) + " " + bounded(span.Name)
}
