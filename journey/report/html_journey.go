package report

import (
	"fmt"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// journeyPage is what journey.tmpl shows.
type journeyPage struct {
	Title      string
	Group      string
	Color      string // of the group, #rrggbb; "" for none
	About      []string
	Headers    bool // show Hops
	Attributes []attributesView
	Hops       []HopHeaders
	Figures    []figure
	Traces     []string
	Timeline   *Timeline
	Paths      []pathView
	Messages   []messageRow
	Branches   [][5]string // ended, slack, service, branch, after
	Savings    [][5]string // service, step, on the path, completion, caller wait
	Warnings   []journey.Warning
	Findings   []lint.Finding
}

type messageRow struct {
	Topic, From, To, Group, Publish, Wait, Delivery string
}

func newJourneyPage(j *journey.Journey) journeyPage {
	set := j.Set()
	p := journeyPage{Title: "Journey without a root"}
	if root, ok := j.Root(); ok {
		p.Title = format.Escape(set.Span(root).ServiceName()) + " " + format.Escape(set.Span(root).Name)
	}
	if wait, ok := j.CallerWait(); ok {
		p.Figures = append(p.Figures, figure{"caller wait", format.Duration(wait), "until the caller had its answer"})
	}
	p.Figures = append(p.Figures, figure{"completion", format.Duration(j.Completion()), "until the last piece of work had ended"})
	if tail, ok := j.Tail(); ok {
		p.Figures = append(p.Figures, figure{"tail", format.Duration(tail), tailNote(j)})
	}
	completion := j.CompletionPath()
	if note, ok := starvedNote(completion); ok {
		p.Figures = append(p.Figures, figure{"no CPU", note, "of the completion path: nobody worked then"})
	}
	traces := j.Traces()
	p.Figures = append(p.Figures, figure{"spans", fmt.Sprint(j.Len()), fmt.Sprintf("in %d %s", len(traces), plural("trace", len(traces)))})
	for _, t := range traces[:min(10, len(traces))] {
		p.Traces = append(p.Traces, t.String())
	}
	p.Timeline = NewTimeline(j, TimelineOptions{})
	if path := j.ResponsePath(); len(path) > 0 {
		p.Paths = append(p.Paths, newPathView("Response path: what the caller waited for", set, path))
	}
	if len(completion) > 0 {
		p.Paths = append(p.Paths, newPathView("Completion path: why it ended when it did", set, completion))
	}
	p.Messages = messageRows(j)
	if branches := j.Branches(); len(branches) > 1 {
		p.Branches = branchRows(j, branches)
	}
	for _, x := range stepSavings(j, completion) {
		p.Savings = append(p.Savings, [5]string{x.service, x.name, x.work, x.completion, x.callerWait})
	}
	for _, w := range CollapseWarnings(j.Warnings()) {
		w.Text = format.Escape(w.Text)
		p.Warnings = append(p.Warnings, w)
	}
	return p
}

// maxMessageRows bounds the messages in text and on a page. JSON has all of them.
const maxMessageRows = 200

func messageRows(j *journey.Journey) []messageRow {
	set := j.Set()
	messages := j.Messages()
	rows := make([]messageRow, 0, min(len(messages), maxMessageRows))
	for _, m := range messages[:min(len(messages), maxMessageRows)] {
		rows = append(rows, messageRow{
			destination(set, m.Consumer, m.Producer), format.Escape(set.Span(m.Producer).ServiceName()), format.Escape(set.Span(m.Consumer).ServiceName()), format.Escape(m.Group),
			format.Duration(m.Publish), format.Duration(m.Wait), format.Duration(m.Delivery),
		})
	}
	return rows
}
