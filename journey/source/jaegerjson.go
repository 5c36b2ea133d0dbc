package source

import (
	"fmt"
	"math"

	"tracelab/journey"
)

// This file reads Jaeger's own JSON, as GET /api/traces/{id} answers it and as the Jaeger UI downloads it: times are integer
// microseconds, the kind and the status of a span are tags, parents and links are both references. Whole spans that the UI
// nests in references are skipped, to any depth.

// lostInJaeger says what the format does not keep.
const lostInJaeger = "Jaeger JSON keeps times to the microsecond, one reference where a span has both a parent and a link to it, " +
	"and neither attributes nor flags of links; api/v3 and OTLP keep all of them"

// jaegerTrace is a trace while it is read: its spans are in the decoder.
type jaegerTrace struct {
	found     bool // there is a field spans
	from      int  // in the decoder: the first of its spans
	id        journey.TraceID
	spans     []jaegerSpan
	nameless  int    // spans without ids
	shape     shape  // of the first of them
	missing   string // the field that it lacks
	processes map[string]process
	warnings  []string
}

// process is Jaeger's word for a resource.
type process struct {
	service  string
	resource *journey.Resource
}

// reference is a parent or a link: Jaeger tells them apart by the type of reference only.
type reference struct {
	journey.Ref
	childOf bool
}

// jaegerTrace reads an item of the field data.
func (d *spanDecoder) jaegerTrace(found *contents) {
	var t jaegerTrace
	fields := shape{"data": true}
	if d.peek() != '{' {
		d.skip()
		found.refused = refuse(fields, d.where)
		return
	}
	d.object(func(key []byte) {
		d.field = string(key)
		fields.add("data." + d.field)
		if !d.jaegerField(&t, d.field) {
			d.survey(fields, "data."+d.field, 2)
		}
	})
	if !t.found && len(fields) > 1 {
		found.refused = refuseMissing(fields, "an item of the field data", "spans", d.where)
		return
	}
	found.traces = true
	d.finishTrace(&t, found)
}

// jaegerField reads a field of a trace, and reports whether it is one.
func (d *spanDecoder) jaegerField(t *jaegerTrace, field string) bool {
	switch field {
	case "traceID":
		d.shortID(t.id[:])
	case "spans":
		t.found = true
		t.from = len(d.spans)
		d.array(func() { d.guardedJaegerSpan(t) })
	case "processes":
		t.processes = make(map[string]process)
		d.object(func(key []byte) { t.processes[string(key)] = d.process() })
	case "warnings":
		t.warnings = d.stringList()
	default:
		return false
	}
	return true
}

// guardedJaegerSpan reads a span. It leaves out one without ids: withoutIDs decides later whether it is damaged or of another
// format.
func (d *spanDecoder) guardedJaegerSpan(t *jaegerTrace) {
	before, count, depth := len(d.spans), len(t.spans), d.depth
	ok := d.guarded("a span", func() {
		d.jaegerSpan(t)
		if d.err != nil || d.spans[before].ID.IsZero() {
			d.lookAgain(t, depth)
		}
	})
	if !ok || len(d.spans) == before {
		t.spans = t.spans[:count]
	}
}

// lookAgain goes back to the beginning of a span that could not be read, or has no id. It leaves the span out when it lacks a
// field that all of Jaeger's have; otherwise it restores the error.
func (d *spanDecoder) lookAgain(t *jaegerTrace, depth int) {
	err, failed := d.err, d.failed
	s := shape{}
	d.err, d.pos, d.depth = nil, d.window.pin, depth
	d.survey(s, "spans", 1)
	missing := ""
	switch {
	case d.err != nil || err != nil && len(s) == 0:
	case !s["spans.spanID"]:
		missing = "spanID"
	case !s["spans.traceID"] && err != nil:
		missing = "traceID"
	}
	if missing == "" {
		d.err, d.failed = err, failed
		return
	}
	if t.nameless++; t.nameless == 1 {
		t.shape, t.missing = s, missing
	}
	d.spans = d.spans[:len(d.spans)-1]
}

// withoutIDs reports the spans without ids: as damaged when other spans of the trace have ids, else as another format.
func (d *spanDecoder) withoutIDs(t *jaegerTrace, found *contents) {
	if len(t.spans) > 0 {
		d.damagedTraces = append(d.damagedTraces, t.id)
		d.damaged(t.nameless, fmt.Errorf("a span without a field %s", t.missing))
		return
	}
	for path := range t.shape {
		found.shape.add(path)
		found.shape.add("data." + path)
	}
	found.refused = refuseMissing(found.shape, "a span in the field spans", t.missing, d.where)
}

// finishTrace gives the spans their processes, which follow them in the text.
func (d *spanDecoder) finishTrace(t *jaegerTrace, found *contents) {
	if d.err != nil {
		if t.found {
			d.spans = d.spans[:t.from] // without their processes, their services are not known
		}
		return
	}
	if t.id.IsZero() && len(t.spans) > 0 && d.spans[t.spans[0].index].Trace.IsZero() {
		t.nameless, t.missing, t.shape = t.nameless+len(t.spans), "traceID", shape{"spans.spanID": true}
		d.spans, t.spans = d.spans[:t.from], nil
	}
	if t.nameless > 0 {
		d.withoutIDs(t, found)
	}
	for _, j := range t.spans {
		s := &d.spans[j.index]
		if p, ok := t.processes[j.process]; ok && s.Resource == nil {
			s.Service, s.Resource = p.service, p.resource
		}
		if s.Trace.IsZero() {
			s.Trace = t.id
		}
	}
	d.jaeger += len(t.spans)
	for _, text := range t.warnings {
		d.notes = append(d.notes, journey.Warning{Rule: journey.RuleStoreWarning, Text: fmt.Sprintf("%s: trace %s was stored with a warning: %s", d.where, t.id, text)})
	}
}

func (d *spanDecoder) process() process {
	p := process{resource: &journey.Resource{}}
	var tags []journey.Attribute
	d.object(func(key []byte) {
		switch string(key) {
		case "serviceName":
			p.service = d.string()
		case "tags":
			tags = d.tagList()
		default:
			d.skip()
		}
	})
	p.resource.Attributes = append([]journey.Attribute{{Key: "service.name", Value: journey.StringValue(p.service)}}, tags...)
	describe(p.resource)
	for _, a := range tags {
		if a.Key == "hostname" && p.resource.HostName == "" { // the name it had before OpenTelemetry
			p.resource.HostName = a.Value.String()
		}
	}
	return p
}

// jaegerSpan has the fields of a span that journey.Span does not have.
type jaegerSpan struct {
	index    int // in the decoder
	duration int64
	process  string         // the key in processes
	parent   journey.SpanID // from the field parentSpanID of old versions, and of stored spans
}

func (d *spanDecoder) jaegerSpan(t *jaegerTrace) {
	j := jaegerSpan{index: len(d.spans)}
	s := d.newSpan()
	d.refs = d.refs[:0]
	d.object(func(key []byte) { d.jaegerSpanField(s, &j, key) })
	t.spans = append(t.spans, j)
	s.End = s.Start + min(j.duration, math.MaxInt64-s.Start)
	readTags(s)
	d.refer(s, j.parent)
}

func (d *spanDecoder) jaegerSpanField(s *journey.Span, f *jaegerSpan, key []byte) {
	d.field = string(key)
	switch d.field {
	case "traceID":
		d.shortID(s.Trace[:])
	case "spanID":
		d.shortID(s.ID[:])
	case "parentSpanID":
		d.shortID(f.parent[:])
	case "flags":
		s.Flags = uint32(d.uint(32)) & 1 // sampled, as in W3C Trace Context; Jaeger's other flags mean something else
	case "operationName":
		s.Name = d.string()
	case "references":
		d.array(d.reference)
	case "startTime":
		s.Start = d.micros()
	case "duration":
		f.duration = d.micros()
	case "tags":
		s.Attributes = d.tagList()
	case "processID":
		f.process = d.string()
	case "process":
		p := d.process()
		s.Service, s.Resource = p.service, p.resource
	case "warnings":
		s.Warnings = d.stringList()
	default:
		d.skipNested()
	}
}

func (d *spanDecoder) reference() {
	r := reference{childOf: true} // Jaeger's default
	d.object(func(key []byte) {
		switch string(key) {
		case "refType":
			r.childOf = d.string() != "FOLLOWS_FROM"
		case "traceID":
			d.shortID(r.Trace[:])
		case "spanID":
			d.shortID(r.Span[:])
		default: // such as the whole span
			d.skipNested()
		}
	})
	if r.Ref != (journey.Ref{}) {
		d.refs = append(d.refs, r)
	}
}

// refer makes one of the references the parent and the others links. The parent is the first CHILD_OF of the same trace, else
// the first FOLLOWS_FROM of the same trace: Jaeger writes that for a parent with a link to it. Another CHILD_OF becomes a link
// that says so, as in OpenTelemetry's mapping.
func (d *spanDecoder) refer(s *journey.Span, parent journey.SpanID) {
	chosen, follows := -1, -1
	for i, r := range d.refs {
		switch {
		case r.Trace != s.Trace:
		case r.childOf && chosen < 0:
			chosen = i
		case !r.childOf && follows < 0:
			follows = i
		}
	}
	if chosen < 0 && parent.IsZero() {
		chosen = follows
	}
	if s.Parent = parent; chosen >= 0 {
		s.Parent = d.refs[chosen].Span
	}
	if cap(d.links)-len(d.links) < len(d.refs) {
		d.links = make([]journey.Link, 0, max(64, len(d.refs)))
	}
	from := len(d.links)
	for i, r := range d.refs {
		if i == chosen {
			continue
		}
		l := journey.Link{Ref: r.Ref}
		if r.childOf {
			l.Attributes = []journey.Attribute{{Key: "opentracing.ref_type", Value: journey.StringValue("child_of")}}
		}
		d.links = append(d.links, l)
	}
	s.Links = d.links[from:len(d.links):len(d.links)]
}
