package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/mattn/go-runewidth"

	"tracelab/journey"
	"tracelab/journey/format"
)

// Sizes of a timeline in pixels. Widths are in percent, so that it fits any page without being distorted.
const (
	timelineTop  = 20 // for the axis
	timelineRow  = 30
	barTop       = 16 // below the label
	barHeight    = 9
	maxTimeline  = 120 // rows
	labelService = 14
)

// timeline is a journey drawn on a time axis, a row for each span.
type timeline struct {
	Title, Summary string
	Color          string // #rrggbb, "" for none
	Height         int
	Ticks          []tick
	Rows           []timelineRowView
	Path           []pathLine
	Answer         *tick // the moment at which the caller had its answer
	Note           string
}

type tick struct {
	X, Text string
	Anchor  string
}

type timelineRowView struct {
	Y, LabelY int
	Label     string
	LabelX    string
	Anchor    string
	Title     string
	Bars      []barView
}

type barView struct {
	X, Width string
	Y        int
	Class    string
}

// pathLine is a piece of the completion path: along a row, or down from one to the next.
type pathLine struct {
	X1, X2 string
	Y1, Y2 int
	Wait   bool
}

// newTimeline draws a journey on an axis as long as total.
func newTimeline(title string, j *journey.Journey, total time.Duration) *timeline {
	nodes := treeNodes(j, maxTimeline)
	t := &timeline{
		Title: format.Escape(title), Height: timelineTop + timelineRow*len(nodes) + 4,
		Summary: fmt.Sprintf("%d spans, %s until the last work had ended", j.Len(), format.Duration(j.Completion())),
	}
	s := scale{max(1, total)}
	for i := range 5 {
		t.Ticks = append(t.Ticks, tick{fmt.Sprintf("%d%%", i*25), format.Duration(total * time.Duration(i) / 4), []string{"start", "middle", "middle", "middle", "end"}[i]})
	}
	path := j.CompletionPath()
	rowOf := make(map[journey.Index]int)
	for k, n := range nodes {
		rowOf[n.span] = k
	}
	on := make([]bool, len(nodes))
	for _, g := range path {
		if k, ok := rowOf[g.Span]; ok && !g.Wait {
			on[k] = true
		}
	}
	for k, n := range nodes {
		t.Rows = append(t.Rows, s.row(j, n, k, on[k]))
	}
	t.Path = s.path(path, rowOf)
	if wait, ok := j.CallerWait(); ok {
		t.Answer = &tick{X: s.x(wait), Text: "answer"}
		t.Summary += fmt.Sprintf(", %s until the caller had its answer", format.Duration(wait))
	}
	if more := j.Len() - len(nodes); more > 0 {
		t.Note = fmt.Sprintf("and %d more spans", more)
	}
	return t
}

// scale turns times from the journey's start into shares of the width.
type scale struct{ total time.Duration }

func (s scale) share(t time.Duration) float64 { return min(1, max(0, float64(t)/float64(s.total))) }

func (s scale) x(t time.Duration) string { return percentage(s.share(t)) }

func percentage(share float64) string { return fmt.Sprintf("%.3f%%", 100*share) }

// row draws a span, and before it the time that its message was in the queue.
func (s scale) row(j *journey.Journey, n treeNode, k int, onPath bool) timelineRowView {
	set := j.Set()
	span := set.Span(n.span)
	from, to := set.Times(n.span)
	start, end := time.Duration(from-j.Start()), time.Duration(to-j.Start())
	y := timelineTop + timelineRow*k
	r := timelineRowView{Y: y + barTop, LabelY: y + barTop - 4}
	if n.via != nil && n.via.Class == journey.ClassMessage && n.via.Ready < from {
		r.Bars = append(r.Bars, s.bar(time.Duration(n.via.Ready-j.Start()), start, y, "wait"))
	}
	class := "off"
	if onPath {
		class = "on"
	}
	if span.Status == journey.StatusError {
		class += " error"
	}
	r.Bars = append(r.Bars, s.bar(start, end, y, class))
	r.Label = runewidth.Truncate(format.Escape(span.ServiceName()), labelService, "…") + " · " + shortName(span.Name) + " · " + format.Duration(end-start)
	r.Title = format.Escape(span.ServiceName()) + " " + format.Escape(span.Name) + ", from " + format.Duration(start) + " to " + format.Duration(end)
	var notes []string
	if n.via != nil {
		notes = viaNotes(set, n)
	}
	for _, note := range append(notes, relatedNotes(j, n.span)...) {
		r.Title += ", " + note
	}
	if span.Status == journey.StatusError {
		r.Label += " · failed"
		r.Title += ", failed " + format.Escape(span.StatusMessage)
	}
	r.LabelX, r.Anchor = s.label(start, end)
	return r
}

// label places a text so that it stays on the page: at the start of an early bar, at the end of a late one.
func (s scale) label(start, end time.Duration) (x, anchor string) {
	from, to := s.share(start), s.share(end)
	switch {
	case from < 0.25:
		return percentage(from), "start"
	case to > 0.75:
		return percentage(to), "end"
	}
	return percentage(min(0.62, max(0.38, (from+to)/2))), "middle"
}

func (s scale) bar(start, end time.Duration, y int, class string) barView {
	from, to := s.share(start), s.share(end)
	const least = 0.0025 // nothing is too short to be seen
	if to-from < least {
		from = min(from, 1-least)
		to = from + least
	}
	return barView{X: percentage(from), Width: percentage(to - from), Y: y + barTop, Class: class}
}

// path draws the completion path along the rows of its spans, and from row to row. What is in no row is passed over.
func (s scale) path(path []journey.Segment, rowOf map[journey.Index]int) []pathLine {
	var lines []pathLine
	last := -1
	for _, g := range path {
		row, ok := rowOf[g.Span]
		if !ok {
			continue
		}
		y := timelineTop + timelineRow*row + barTop + barHeight/2
		from, to := s.x(g.Start), s.x(g.End)
		if last >= 0 && last != y {
			lines = append(lines, pathLine{from, from, last, y, false})
		}
		if n := len(lines); n > 0 && last == y && lines[n-1].Y1 == y && lines[n-1].Wait == g.Wait { // what lies between is in no row
			lines[n-1].X2 = to
			continue
		}
		lines = append(lines, pathLine{from, to, y, y, g.Wait})
		last = y
	}
	return slices.Clip(lines)
}
