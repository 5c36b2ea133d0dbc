package report

import (
	"time"

	"tracelab/journey"
)

// Classes of an edge's line: how the later span refers to the earlier one.
const (
	edgeParent  = "parent"  // as its parent: it is in the same trace
	edgeLink    = "link"    // by a link
	edgeBoth    = "both"    // as its parent, and by a link besides
	edgeRelated = "related" // by a link that caused nothing
)

// maxEdges bounds the lines to one row.
const maxEdges = 8

// edgeLine is a line from the row of a cause down, or up, to the row of its effect.
type edgeLine struct {
	X, Class string
	Y1, Y2   int
}

// edges adds the lines to a row: from its causes, each at the time at which that had done what the span needs, and from spans that it
// links to without having been caused by them.
func (s scale) edges(list []edgeLine, j *journey.Journey, n treeNode, rowOf map[journey.Index]int) []edgeLine {
	set, n0 := j.Set(), len(list)
	add := func(from journey.Index, at int64, class string) {
		row, ok := rowOf[from]
		if !ok || class == "" || len(list)-n0 == maxEdges {
			return
		}
		l := edgeLine{X: s.x(time.Duration(at - j.Start())), Class: class, Y1: rowMiddle(row), Y2: rowMiddle(rowOf[n.span])}
		if l.Y1 < l.Y2 { // from the lower edge of one bar to the upper edge of the other
			l.Y1, l.Y2 = l.Y1+barHeight/2, l.Y2-barHeight/2
		} else {
			l.Y1, l.Y2 = l.Y1-barHeight/2, l.Y2+barHeight/2
		}
		list = append(list, l)
	}
	for e := range set.Causes(n.span) {
		add(e.From, e.Ready, referenceTo(set, n.span, e.From))
	}
	start, _ := set.Times(n.span)
	to, _ := set.Related(n.span)
	for _, other := range to {
		add(other, start, edgeRelated)
	}
	return list
}

// referenceTo tells how a span refers to another one; "" when it does not.
func referenceTo(set *journey.Set, i, other journey.Index) string {
	parent, ok := set.Parent(i)
	isParent, linked := ok && parent == other, false
	for _, l := range set.Span(i).Links {
		if target, found := set.Find(l.Ref); found && target == other {
			linked = true
			break
		}
	}
	switch {
	case isParent && linked:
		return edgeBoth
	case isParent:
		return edgeParent
	case linked:
		return edgeLink
	}
	return ""
}
