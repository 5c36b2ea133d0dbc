package report

import (
	"io"
	"iter"
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// Schemas of the JSON documents. Fields are added to a version, never renamed.
const (
	JourneySchema = "tracelab.journey/v1"
	CompareSchema = "tracelab.compare/v1"
)

// hopDocument has the headers of a hop, with their values as they were recorded; a header whose value was not recorded has none.
type hopDocument struct {
	From  string              `json:"from"`
	To    string              `json:"to"`
	Class journey.Class       `json:"class"`
	Wrote map[string][]string `json:"wrote"`
	Read  map[string][]string `json:"read"`
}

func hopDocuments(set *journey.Set, hops []journey.Hop) iter.Seq[hopDocument] {
	return func(yield func(hopDocument) bool) {
		for _, h := range hops {
			from, to := set.Span(h.From), set.Span(h.To)
			if !yield(hopDocument{from.ID.String(), to.ID.String(), h.Class, headerDocument(from), headerDocument(to)}) {
				return
			}
		}
	}
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
	More int            `json:"more,omitempty"` // how many more warnings of its rule it stands for
}

// WriteJSON writes the journey as tracelab.journey/v1. Times are nanoseconds from the journey's start, and the segments of
// each path add up to exactly its total.
func (r Journey) WriteJSON(w io.Writer) error {
	j := r.journey()
	set := j.Set()
	o := newObjectStream(w)
	o.member("schema", JourneySchema)
	list(o, "traces", func(yield func(string) bool) {
		for _, t := range j.Traces() {
			if !yield(t.String()) {
				return
			}
		}
	})
	o.member("spans", j.Len())
	o.member("unreached", len(j.Unreached())) // spans of its traces that no journey reached
	var root *rootDocument
	var wait, tail *int64
	if i, ok := j.Root(); ok {
		span := set.Span(i)
		root = &rootDocument{span.ID.String(), span.Service, span.Name}
		callerWait, _ := j.CallerWait()
		rest, _ := j.Tail()
		wait, tail = new(callerWait.Nanoseconds()), new(rest.Nanoseconds())
	}
	o.member("root", root)
	o.member("caller_wait_ns", wait)
	o.member("completion_ns", j.Completion().Nanoseconds())
	o.member("tail_ns", tail)
	list(o, "response_path", segmentDocuments(set, j.ResponsePath()))
	list(o, "completion_path", segmentDocuments(set, j.CompletionPath()))
	list(o, "messages", messageDocuments(set, j.Messages()))
	if docs := linkDocuments(j); len(docs) > 0 {
		list(o, "links", slices.Values(docs))
	}
	if topics := j.UnreceivedTopics(); len(topics) > 0 {
		list(o, "unreceived", slices.Values(topics))
	}
	if reason, ok := j.Incomplete(); ok {
		o.member("incomplete", reason)
	}
	list(o, "warnings", warningDocuments(CollapseWarnings(j.Warnings())))
	if len(r.About) > 0 {
		list(o, "about", slices.Values(r.About))
	}
	if r.Attributes {
		list(o, "attributes", attributeDocuments(j))
	}
	if hops := j.Hops(); r.Headers && len(hops) > 0 {
		list(o, "hops", hopDocuments(set, hops))
	}
	return o.close()
}

func segmentDocuments(set *journey.Set, path []journey.Segment) iter.Seq[segmentDocument] {
	return func(yield func(segmentDocument) bool) {
		for _, g := range path {
			span := set.Span(g.Span)
			d := segmentDocument{Kind: "work", Span: span.ID.String(), Service: span.Service, Name: span.Name, Start: g.Start.Nanoseconds(), End: g.End.Nanoseconds()}
			if g.Wait {
				d.Kind, d.Class = "wait", g.Class.String()
				if g.From >= 0 {
					d.From = set.Span(g.From).ID.String()
				}
			}
			if !yield(d) {
				return
			}
		}
	}
}

func messageDocuments(set *journey.Set, messages []journey.Message) iter.Seq[messageDocument] {
	return func(yield func(messageDocument) bool) {
		for _, m := range messages {
			if !yield(messageDocument{
				set.Span(m.Producer).ID.String(), set.Span(m.Consumer).ID.String(), m.Group, m.Topic,
				m.Publish.Nanoseconds(), m.Wait.Nanoseconds(), m.Delivery.Nanoseconds(), m.Overlap,
			}) {
				return
			}
		}
	}
}

func warningDocuments(warnings []journey.Warning) iter.Seq[warningDocument] {
	return func(yield func(warningDocument) bool) {
		for _, w := range warnings {
			if !yield(warningDocument{w.Rule, w.Span.Span.String(), w.Text, w.More}) {
				return
			}
		}
	}
}

// linkDocument is a link of, or to, a span of the journey that is not a cause.
type linkDocument struct {
	Span  string `json:"span"`  // of the journey
	Class string `json:"class"` // related, or reply
	Way   string `json:"way"`   // to or from the other span
	Other string `json:"other"`
	Trace string `json:"trace"` // of the other span
}

func linkDocuments(j *journey.Journey) []linkDocument {
	set := j.Set()
	var docs []linkDocument
	add := func(i journey.Index, class, way string, other journey.Index) {
		o := set.Span(other)
		docs = append(docs, linkDocument{set.Span(i).ID.String(), class, way, o.ID.String(), o.Trace.String()})
	}
	for _, i := range j.Spans() {
		if waiter, ok := j.ReplyTo(i); ok {
			add(i, "reply", "to", waiter)
		}
		to, from := set.Related(i)
		for _, other := range to {
			add(i, "related", "to", other)
		}
		for _, other := range from {
			add(i, "related", "from", other)
		}
	}
	return docs
}

// WriteJSON writes the comparison as tracelab.compare/v1: the groups with their structures, the differences of their
// measures, and the nodes of their journeys.
func (r Comparison) WriteJSON(w io.Writer) error {
	o := newObjectStream(w)
	o.member("schema", CompareSchema)
	list(o, "groups", slices.Values(r.Of.Groups))
	list(o, "measures", slices.Values(r.Of.Differences))
	list(o, "nodes", slices.Values(r.Of.Nodes))
	list(o, "warnings", slices.Values(r.Of.Warnings))
	if r.Of.Roots != nil || r.Of.OneSided != nil {
		list(o, "roots", rootDocuments(r.Of.Roots))
		list(o, "one_sided", oneSidedDocuments(r.Of))
	}
	if r.Gate != nil {
		o.member("gate", r.Gate.document())
	}
	return o.close()
}

// comparedRoot has the groups of one root. Its measures and nodes are among those of the document, under its name.
type comparedRoot struct {
	Root   string                 `json:"root"`
	Groups []compare.GroupSummary `json:"groups"`
}

type oneSidedRoot struct {
	Root     string         `json:"root"`
	Journeys map[string]int `json:"journeys"` // by group

	Incomplete map[string]int `json:"incomplete,omitempty"` // by group, those that are in no figure
}

func rootDocuments(roots []compare.RootComparison) iter.Seq[comparedRoot] {
	return func(yield func(comparedRoot) bool) {
		for _, r := range roots {
			if !yield(comparedRoot{r.Root.String(), r.Groups}) {
				return
			}
		}
	}
}

func oneSidedDocuments(c compare.Comparison) iter.Seq[oneSidedRoot] {
	return func(yield func(oneSidedRoot) bool) {
		for _, r := range c.OneSided {
			x := oneSidedRoot{Root: r.String(), Journeys: make(map[string]int)}
			for g, n := range r.Journeys[:min(len(r.Journeys), len(c.Groups))] {
				x.Journeys[c.Groups[g].Name] = n
				if lost := r.LeftOut(g); lost > 0 {
					if x.Incomplete == nil {
						x.Incomplete = make(map[string]int)
					}
					x.Incomplete[c.Groups[g].Name] = lost
				}
			}
			if !yield(x) {
				return
			}
		}
	}
}
