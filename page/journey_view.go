package page

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/report"
	"tracelab/lab"
	"tracelab/services"
)

const (
	// foldedRows is how many spans a journey's page shows over all its pictures, leastRows how many of each picture at the least.
	foldedRows, leastRows = 150, 40
	// allRows bounds them when a person asks for all.
	allRows = 2000
)

// drawnJourney is a journey to be drawn, with the name of its form.
type drawnJourney struct {
	Form       string
	Of         *journey.Journey
	Partial    bool // not all of its spans are there
	Unanswered bool // its caller got no answer
	Error      int  // the HTTP status of an answer that tells of a failure; 0: it told of none
}

// drawnOf is what the lab knows of a unit, to be drawn.
func drawnOf(live lab.LiveJourney) drawnJourney {
	d := drawnJourney{Form: string(live.Key.Form), Of: live.Journey, Partial: live.Incomplete != "", Unanswered: live.WaitMS != nil && live.Status == 0}
	if live.Status >= http.StatusBadRequest {
		d.Error = live.Status
	}
	return d
}

// picturesView are journeys below each other on one time axis.
type picturesView struct {
	Pictures []pictureView
	Axis     string // how long the axis is
}

// pictureView is one of them, with what it means in words.
type pictureView struct {
	Form     string
	Color    string // #rrggbb, or "" for a form without a color
	Timeline *report.Timeline
	Meaning  meaningView
	More     string // address of the page with more rows, or ""
}

// draw draws journeys on one axis, the first one as the page's own. Rows are the most spans over all of them.
func draw(list []drawnJourney, q journeyQuery) picturesView {
	var total time.Duration
	for _, d := range list {
		total = max(total, d.Of.Completion())
	}
	v := picturesView{Axis: format.Duration(total)}
	rows := max(leastRows, foldedRows/max(1, len(list)))
	if q.All {
		rows = max(leastRows, allRows/max(1, len(list)))
	}
	for _, d := range list {
		set := d.Of.Set()
		p := pictureView{Form: d.Form, Color: formColor(services.Form(d.Form)), Meaning: meaningOf(d)}
		p.Timeline = report.NewTimeline(d.Of, report.TimelineOptions{
			Title: d.Form, Total: total, Rows: rows, Edges: true, Response: true, Chosen: q.Span,
			Href: func(i journey.Index) string { return q.withSpan(set.Span(i).ID) },
			Step: func(s *journey.Span) bool { _, ok := s.Attr(services.KeyStep); return ok },
		})
		if p.Timeline.Left > 0 && !q.All {
			p.More = q.withAllRows()
		}
		v.Pictures = append(v.Pictures, p)
	}
	return v
}

// meaningView says in words what a journey's times are, so that acceptance is not taken for completion.
type meaningView struct {
	Answer, Completion, Tail, TailShare, Queues string
	Rooted                                      bool // it has a caller
	Early                                       bool // work went on after the answer
	Failed                                      bool
	Partial, Unanswered                         bool // as of the journey that is drawn
	Error                                       int
}

func meaningOf(d drawnJourney) meaningView {
	j := d.Of
	m := meaningView{Partial: d.Partial, Unanswered: d.Unanswered, Error: d.Error, Completion: format.Duration(j.Completion()), Failed: len(j.Errors().Own) > 0}
	wait, rooted := j.CallerWait()
	tail, _ := j.Tail()
	m.Rooted, m.Answer, m.Tail = rooted, format.Duration(wait), format.Duration(tail)
	if j.Completion() > 0 {
		m.Early = rooted && tail*20 > j.Completion()
		m.TailShare = fmt.Sprintf("%.0f %%", 100*float64(tail)/float64(j.Completion()))
	}
	var queues time.Duration
	for _, g := range j.CompletionPath() {
		if g.Wait && g.Class == journey.ClassMessage {
			queues += g.Duration()
		}
	}
	if queues > 0 {
		m.Queues = format.Duration(queues)
	}
	return m
}

// pathView is a path as a table.
type pathView struct {
	Title, ID string
	Rows      []pathRow
	More      int // segments that are in no row
}

type pathRow struct {
	Start, Duration, Service, What string
	Wait                           bool
}

// maxPathRows bounds the rows of a path.
const maxPathRows = 60

// pathsOf shows both paths of a journey as tables: of a long path the longest segments, in their order in time.
func pathsOf(j *journey.Journey) []pathView {
	var list []pathView
	for _, p := range []struct {
		title, id string
		path      []journey.Segment
	}{{"Response path: what the caller waited for", "response-path", j.ResponsePath()}, {"Completion path: why the last work ended when it did", "completion-path", j.CompletionPath()}} {
		if len(p.path) == 0 {
			continue
		}
		v := pathView{Title: p.title, ID: p.id, More: max(0, len(p.path)-maxPathRows)}
		longest := slices.Clone(p.path)
		slices.SortStableFunc(longest, func(a, b journey.Segment) int { return cmp.Compare(b.Duration(), a.Duration()) })
		longest = longest[:len(p.path)-v.More]
		slices.SortStableFunc(longest, func(a, b journey.Segment) int { return cmp.Compare(a.Start, b.Start) })
		for _, g := range longest {
			span := j.Set().Span(g.Span)
			row := pathRow{format.Duration(g.Start), format.Duration(g.Duration()), clip(span.ServiceName(), nameLimit), clip(span.Name, nameLimit), g.Wait}
			if g.Wait {
				row.What = waitWords(j.Set(), g)
			}
			v.Rows = append(v.Rows, row)
		}
		list = append(list, v)
	}
	return list
}

// waitWords says what a wait on a path was for.
func waitWords(set *journey.Set, g journey.Segment) string {
	switch g.Class {
	case journey.ClassMessage:
		topic := cmp.Or(set.Topic(g.Span), set.Topic(g.From))
		return "in the queue " + clip(topic, nameLimit)
	case journey.ClassMailbox:
		return "in the memory of its service, until a worker was free"
	case journey.ClassBatch:
		return "for the rest of the batch"
	case journey.ClassUnexplained:
		return "for something that the traces do not show"
	case journey.ClassStarved:
		return "for the CPU, which the process did not get"
	default:
		return "wait: " + g.Class.String()
	}
}
