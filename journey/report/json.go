package report

import (
	"encoding/json"
	"io"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// Schemas of the JSON documents. Fields are added to a version, never renamed.
const (
	JourneySchema = "tracelab.journey/v1"
	CompareSchema = "tracelab.compare/v1"
)

type journeyDocument struct {
	Schema         string            `json:"schema"`
	Traces         []string          `json:"traces"`
	Spans          int               `json:"spans"`
	Unreached      int               `json:"unreached"` // spans of its traces that nothing leads to
	Root           *rootDocument     `json:"root"`
	CallerWait     *int64            `json:"caller_wait_ns"`
	Completion     int64             `json:"completion_ns"`
	Tail           *int64            `json:"tail_ns"`
	ResponsePath   []segmentDocument `json:"response_path"`
	CompletionPath []segmentDocument `json:"completion_path"`
	Messages       []messageDocument `json:"messages"`
	Warnings       []warningDocument `json:"warnings"`
	About          []string          `json:"about,omitempty"`
	Hops           []hopDocument     `json:"hops,omitempty"`
}

// hopDocument is what crossed a hop, with values as they were kept; a header whose value was not kept has none.
type hopDocument struct {
	From  string              `json:"from"`
	To    string              `json:"to"`
	Class journey.Class       `json:"class"`
	Wrote map[string][]string `json:"wrote"`
	Read  map[string][]string `json:"read"`
}

func hopDocuments(j *journey.Journey) []hopDocument {
	set := j.Set()
	var list []hopDocument
	for _, h := range j.Hops() {
		from, to := set.Span(h.From), set.Span(h.To)
		list = append(list, hopDocument{from.ID.String(), to.ID.String(), h.Class, headerDocument(from), headerDocument(to)})
	}
	return list
}

func headerDocument(span *journey.Span) map[string][]string {
	values := map[string][]string{}
	for _, h := range span.Headers() {
		values[h.Name] = append([]string{}, h.Values...)
	}
	return values
}

type rootDocument struct {
	Span    string `json:"span"`
	Service string `json:"service"`
	Name    string `json:"name"`
}

type segmentDocument struct {
	Kind    string `json:"kind"`
	Class   string `json:"class,omitempty"`
	Span    string `json:"span"`
	From    string `json:"from,omitempty"`
	Service string `json:"service"`
	Name    string `json:"name"`
	Start   int64  `json:"start_ns"`
	End     int64  `json:"end_ns"`
}

type messageDocument struct {
	Producer string `json:"producer"`
	Consumer string `json:"consumer"`
	Group    string `json:"group"`
	Topic    string `json:"topic"`
	Publish  int64  `json:"publish_ns"`
	Wait     int64  `json:"wait_ns"`
	Delivery int64  `json:"delivery_ns"`
	Overlap  bool   `json:"overlap"`
}

type warningDocument struct {
	Rule journey.RuleID `json:"rule"`
	Span string         `json:"span"`
	Text string         `json:"text"`
}

// WriteJSON writes the journey as tracelab.journey/v1. Times are nanoseconds from the journey's start, and the segments of
// each path add up to exactly its total.
func (r Journey) WriteJSON(w io.Writer) error {
	j := r.journey()
	set := j.Set()
	d := journeyDocument{
		Schema:         JourneySchema,
		Traces:         []string{},
		Spans:          j.Len(),
		Unreached:      len(j.Unreached()),
		Completion:     j.Completion().Nanoseconds(),
		ResponsePath:   segmentDocuments(set, j.ResponsePath()),
		CompletionPath: segmentDocuments(set, j.CompletionPath()),
		Messages:       []messageDocument{},
		Warnings:       []warningDocument{},
		About:          r.About,
	}
	if r.Headers {
		d.Hops = hopDocuments(j)
	}
	for _, t := range j.Traces() {
		d.Traces = append(d.Traces, t.String())
	}
	if root, ok := j.Root(); ok {
		span := set.Span(root)
		d.Root = &rootDocument{span.ID.String(), span.Service, span.Name}
		wait, _ := j.CallerWait()
		tail, _ := j.Tail()
		d.CallerWait, d.Tail = new(wait.Nanoseconds()), new(tail.Nanoseconds())
	}
	for _, m := range j.Messages() {
		d.Messages = append(d.Messages, messageDocument{
			set.Span(m.Producer).ID.String(), set.Span(m.Consumer).ID.String(), m.Group, m.Topic, m.Publish.Nanoseconds(), m.Wait.Nanoseconds(), m.Delivery.Nanoseconds(), m.Overlap,
		})
	}
	for _, warning := range j.Warnings() {
		d.Warnings = append(d.Warnings, warningDocument{warning.Rule, warning.Span.Span.String(), warning.Text})
	}
	return encode(w, d)
}

func segmentDocuments(set *journey.Set, path []journey.Segment) []segmentDocument {
	list := make([]segmentDocument, len(path))
	for i, g := range path {
		span := set.Span(g.Span)
		list[i] = segmentDocument{Kind: "work", Span: span.ID.String(), Service: span.Service, Name: span.Name, Start: g.Start.Nanoseconds(), End: g.End.Nanoseconds()}
		if g.Wait {
			list[i].Kind, list[i].Class = "wait", g.Class.String()
			if g.From >= 0 {
				list[i].From = set.Span(g.From).ID.String()
			}
		}
	}
	return list
}

type comparisonDocument struct {
	Schema   string                 `json:"schema"`
	Groups   []compare.GroupSummary `json:"groups"`
	Measures []compare.Difference   `json:"measures"`
	Nodes    []compare.Node         `json:"nodes"`
	Warnings []string               `json:"warnings"`
}

// WriteJSON writes the comparison as tracelab.compare/v1: the groups with their structures, the differences of their
// measures, and the nodes of their journeys.
func (r Comparison) WriteJSON(w io.Writer) error {
	c := r.Of
	d := comparisonDocument{CompareSchema, c.Groups, c.Differences, c.Nodes, c.Warnings}
	if d.Groups == nil {
		d.Groups = []compare.GroupSummary{}
	}
	if d.Nodes == nil {
		d.Nodes = []compare.Node{}
	}
	if d.Measures == nil {
		d.Measures = []compare.Difference{}
	}
	if d.Warnings == nil {
		d.Warnings = []string{}
	}
	return encode(w, d)
}

func encode(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
