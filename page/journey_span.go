package page

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/lab"
)

// Limits of one span on a page.
const (
	maxAttributes = 100
	maxReferences = 20
	maxEvents     = 30
)

// spanView is the chosen span.
type spanView struct {
	Form, Service, Name, Kind, Status, Message string
	Trace, ID                                  string
	Start, Duration                            string // from the journey's start
	References                                 []referenceView
	Attributes, Resource                       []attributeView
	Events                                     []eventView
	More                                       []string // what is left out, in words
	Hops                                       hopsView
	Jaeger                                     string // address of its trace in Jaeger, or ""
}

// referenceView is another span that a span refers to, or that refers to it.
type referenceView struct {
	How, Name string
	Href      string // of that span's page; "" when it is not in the journey
	Trace     string // of that span, when it is of another trace
}

// attributeView is an attribute, escaped and cut.
type attributeView struct{ Key, Value string }

// eventView is an event of a span.
type eventView struct {
	At, Name   string
	Attributes []attributeView
}

// spanOf shows a span of a journey; nil when the journey does not have it. Spans as they came have the events.
func spanOf(d drawnJourney, q journeyQuery, came ptrace.Traces, jaeger string) *spanView {
	set := d.Of.Set()
	for _, i := range d.Of.Spans() {
		if s := set.Span(i); s.ID == q.Span {
			v := newSpanView(d, i, q)
			v.Jaeger = lab.TraceURL(jaeger, s.Trace)
			v.addEvents(came, s, d.Of.Start())
			return v
		}
	}
	return nil
}

func newSpanView(d drawnJourney, i journey.Index, q journeyQuery) *spanView {
	set := d.Of.Set()
	s := set.Span(i)
	start, end := set.Times(i)
	v := &spanView{
		Form: d.Form, Service: clip(s.ServiceName(), nameLimit), Name: clip(s.Name, nameLimit), Kind: s.Kind.String(), Status: s.Status.String(), Message: clip(s.StatusMessage, valueLimit),
		Trace: s.Trace.String(), ID: s.ID.String(), Start: format.Duration(time.Duration(start - d.Of.Start())), Duration: format.Duration(time.Duration(end - start)),
		References: referencesOf(d.Of, i, q), Hops: hopsOf(d.Of, s.ID, maxHops),
	}
	v.Attributes = v.attributes("attributes", s.Attributes)
	if s.Resource != nil {
		v.Resource = v.attributes("attributes of the resource", s.Resource.Attributes)
	}
	for _, lost := range []struct {
		n    uint32
		what string
	}{{s.DroppedAttributes, "attributes"}, {s.DroppedEvents, "events"}, {s.DroppedLinks, "links"}} {
		if lost.n > 0 {
			v.More = append(v.More, fmt.Sprintf("%d %s were dropped before the span was exported", lost.n, lost.what))
		}
	}
	return v
}

// attributes shows a list of attributes, and notes how many are left out.
func (v *spanView) attributes(what string, list []journey.Attribute) []attributeView {
	views := make([]attributeView, 0, min(len(list), maxAttributes))
	for _, a := range list[:min(len(list), maxAttributes)] {
		views = append(views, attributeView{clip(a.Key, nameLimit), clip(a.Value.String(), valueLimit)})
	}
	if more := len(list) - len(views); more > 0 {
		v.More = append(v.More, fmt.Sprintf("%d more %s", more, what))
	}
	return views
}

// referencesOf lists what a span refers to, and which spans refer to it: as parent, and by links.
func referencesOf(j *journey.Journey, i journey.Index, q journeyQuery) []referenceView {
	set := j.Set()
	own := set.Span(i)
	var list []referenceView
	add := func(how string, other journey.Index) {
		if len(list) == maxReferences {
			return
		}
		s := set.Span(other)
		r := referenceView{How: how, Name: clip(s.ServiceName()+" "+s.Name, 2*nameLimit)}
		if j.Contains(other) {
			r.Href = q.withSpan(s.ID)
		}
		if s.Trace != own.Trace {
			r.Trace = s.Trace.String()
		}
		list = append(list, r)
	}
	if parent, ok := set.Parent(i); ok {
		add("child of", parent)
	}
	for _, l := range own.Links {
		if other, ok := set.Find(l.Ref); ok {
			add("links to", other)
		} else if len(list) < maxReferences {
			list = append(list, referenceView{How: "links to", Name: "a span that is not here", Trace: l.Trace.String()})
		}
	}
	for _, k := range j.Spans() {
		if parent, ok := set.Parent(k); ok && parent == i {
			add("parent of", k)
		}
		for _, l := range set.Span(k).Links {
			if other, ok := set.Find(l.Ref); ok && other == i {
				add("linked from", k)
			}
		}
	}
	return list
}

// addEvents adds the events of a span, as far as the spans are there as they came.
func (v *spanView) addEvents(came ptrace.Traces, s *journey.Span, base int64) {
	if came == (ptrace.Traces{}) {
		return
	}
	for _, rs := range came.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if span.SpanID() == pcommon.SpanID(s.ID) && span.TraceID() == pcommon.TraceID(s.Trace) {
					v.addEventsOf(span, base)
					return
				}
			}
		}
	}
}

func (v *spanView) addEventsOf(span ptrace.Span, base int64) {
	for k, e := range span.Events().All() {
		if k == maxEvents {
			v.More = append(v.More, fmt.Sprintf("%d more events", span.Events().Len()-k))
			return
		}
		at := format.Duration(time.Duration(e.Timestamp().AsTime().UnixNano() - base))
		event := eventView{At: at, Name: clip(e.Name(), nameLimit)}
		for key, value := range e.Attributes().All() {
			if len(event.Attributes) == maxAttributes {
				break
			}
			event.Attributes = append(event.Attributes, attributeView{clip(key, nameLimit), clip(value.AsString(), valueLimit)})
		}
		v.Events = append(v.Events, event)
	}
}
