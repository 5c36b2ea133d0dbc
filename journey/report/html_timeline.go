package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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
	maxTitle     = 200 // columns of a name or a note in the words to a row
)

// Timeline is a journey drawn on a time axis, a row for each span: what the template "timeline" of PictureTemplates shows.
type Timeline struct {
	Title, Summary string
	Color          string // #rrggbb, "" for none
	Height         int
	Ticks          []tick
	Rows           []timelineRowView
	Path           []pathLine
	Response       []pathLine // the response path, where it is asked for
	Edges          []edgeLine // what led from row to row, where it is asked for
	Linked         bool       // the rows are links
	Left           int        // spans in no row
	Answer         *tick      // the moment at which the caller had its answer
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
	Span      journey.Index
	Top       int
	Href, ID  string // of a row that is a link; "" for another one
	Chosen    bool
	Step      bool

	Service, Name, Start, Duration string
	Depth                          int      // below the first row of its tree
	Notes                          []string // how it was reached, what it links to, whether it failed
	NewTrace                       bool     // it is of another trace than the span above it
	Reference                      string   // how it refers to the span above it: "parent", "link" or "both"; "" at the top
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

// TimelineOptions say what a Timeline shows beside spans, queue waits and the completion path.
type TimelineOptions struct {
	Title    string                     // escaped for a page by NewTimeline
	Total    time.Duration              // length of the axis; 0: until the journey's last work had ended
	Rows     int                        // most rows; 0: 120
	Edges    bool                       // draw what led from span to span: parents and links
	Response bool                       // draw the response path, too
	Href     func(journey.Index) string // where a span's row leads; nil: nowhere
	Step     func(*journey.Span) bool   // which spans are named in bold; nil: none
	Chosen   journey.SpanID             // the row that is marked; zero: none
}

// NewTimeline draws a journey.
func NewTimeline(j *journey.Journey, o TimelineOptions) *Timeline {
	if j == nil {
		j = new(journey.Journey)
	}
	total := cmp.Or(o.Total, j.Completion())
	nodes := treeNodes(j, cmp.Or(o.Rows, maxTimeline))
	t := &Timeline{
		Title: format.Escape(o.Title), Height: timelineTop + timelineRow*len(nodes) + 4, Linked: o.Href != nil,
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
	on := onPath(path, rowOf)
	for k, n := range nodes {
		row := s.row(j, n, k, on[k])
		o.complete(&row, j.Set().Span(n.span))
		t.Rows = append(t.Rows, row)
		if o.Edges {
			t.Edges = s.edges(t.Edges, j, n, rowOf)
		}
	}
	t.Path = s.path(path, rowOf)
	if o.Response {
		t.Response = s.path(j.ResponsePath(), rowOf)
	}
	if wait, ok := j.CallerWait(); ok {
		t.Answer = &tick{X: s.x(wait), Text: "answer"}
		t.Summary += fmt.Sprintf(", %s until the caller had its answer", format.Duration(wait))
	}
	if note, ok := starvedNote(path); ok {
		t.Summary += fmt.Sprintf(", no CPU for %s of it", note)
	}
	if t.Left = j.Len() - len(nodes); t.Left > 0 {
		t.Note = fmt.Sprintf("and %d more spans", t.Left)
	}
	return t
}

// onPath reports for each row whether its span worked on a path.
func onPath(path []journey.Segment, rowOf map[journey.Index]int) []bool {
	on := make([]bool, len(rowOf))
	for _, g := range path {
		if k, ok := rowOf[g.Span]; ok && !g.Wait {
			on[k] = true
		}
	}
	return on
}

// complete adds to a row what is not drawn of every journey.
func (o TimelineOptions) complete(row *timelineRowView, span *journey.Span) {
	if o.Href != nil {
		row.Href, row.ID = o.Href(row.Span), "span-"+span.ID.String()
	}
	if o.Edges && row.NewTrace {
		row.Label += " · new trace"
	}
	row.Chosen = !o.Chosen.IsZero() && span.ID == o.Chosen
	row.Step = o.Step != nil && o.Step(span)
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
	service, name := bounded(span.ServiceName()), bounded(span.Name)
	from, to := set.Times(n.span)
	start, end := time.Duration(from-j.Start()), time.Duration(to-j.Start())
	y := timelineTop + timelineRow*k
	r := timelineRowView{Y: y + barTop, LabelY: y + barTop - 4, Top: y, Span: n.span}
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
	r.Label = runewidth.Truncate(service, labelService, "…") + " · " + shorten(name, maxNameWidth) + " · " + format.Duration(end-start)
	r.Title = service + " " + name + ", from " + format.Duration(start) + " to " + format.Duration(end)
	var notes []string
	if n.via != nil {
		notes = viaNotes(set, n)
	}
	notes = append(notes, relatedNotes(j, n.span)...)
	for _, note := range notes {
		r.Title += ", " + note
	}
	for k, note := range notes {
		notes[k] = runewidth.Truncate(note, maxTitle, "…")
	}
	r.Service, r.Name, r.Depth, r.Notes = runewidth.Truncate(service, maxTitle, "…"), runewidth.Truncate(name, maxTitle, "…"), n.depth, notes
	r.Start, r.Duration = format.Duration(start), format.Duration(end-start)
	if n.via != nil {
		r.Reference, r.NewTrace = referenceTo(set, n.span, n.via.From), span.Trace != set.Span(n.via.From).Trace
	}
	if span.Status == journey.StatusError {
		r.Label += " · failed"
		r.Title += ", failed " + bounded(span.StatusMessage)
	}
	r.Title = runewidth.Truncate(r.Title, 3*maxTitle, "…")
	r.LabelX, r.Anchor = s.label(start, end)
	return r
}

// maxText is how many bytes of a text are looked at, to show the first few of them.
const maxText = 2048

// bounded escapes a text for a row, no more of it than anybody can see there.
func bounded(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return format.Escape(text)
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

// rowMiddle is the height of the middle of a row's bar.
func rowMiddle(row int) int { return timelineTop + timelineRow*row + barTop + barHeight/2 }

// path draws a path along the rows of its spans, and from row to row. What is in no row is passed over.
func (s scale) path(path []journey.Segment, rowOf map[journey.Index]int) []pathLine {
	var lines []pathLine
	last := -1
	for _, g := range path {
		row, ok := rowOf[g.Span]
		if !ok {
			continue
		}
		y := rowMiddle(row)
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
