package source

import (
	"fmt"
	"math"

	"tracelab/journey"
)

// This file reads Jaeger's own JSON, as GET /api/traces/{id} answers it and as the Jaeger UI downloads it: times are integer
// microseconds, the kind and the status of a span are tags, parents and links are both references. Whole spans that the UI
// nests in references are passed over, to any depth.

// lostInJaeger says what cannot be read from that format, because it does not keep it.
const lostInJaeger = "Jaeger JSON keeps times to the microsecond, one reference where a span has both a parent and a link to it, " +
	"and neither attributes nor flags of links; api/v3 and OTLP keep all of them"

// jaegerTrace is a trace while it is read: its spans are in the decoder.
type jaegerTrace struct {
	found     bool // there is a field spans
	from      int  // in the decoder: the first of its spans
	id        journey.TraceID
	spans     []jaegerSpan
	processes map[string]process
	warnings  []string
}

// process is Jaeger's word for a resource.
type process struct {
	service  string
	resource *journey.Resource
}

// reference is a parent or a link: Jaeger tells them apart by the sort of reference only.
type reference struct {
	journey.Ref
	childOf bool
}

func (d *spanDecoder) jaegerTrace() {
	var t jaegerTrace
	fields := 0
	d.object(func(key []byte) {
		fields++
		d.field = string(key)
		if !d.jaegerField(&t, d.field) {
			d.skip()
		}
	})
	if fields > 0 && !t.found {
		d.fail("a trace without a field spans")
	}
	d.finishTrace(&t)
}

// jaegerField reads a field of a trace, and reports whether it is one.
func (d *spanDecoder) jaegerField(t *jaegerTrace, field string) bool {
	switch field {
	case "traceID":
		d.shortID(t.id[:])
	case "spans":
		t.found = true
		t.from = len(d.spans)
		d.array(func() {
			before := len(t.spans)
			if !d.guarded("a span", func() { d.jaegerSpan(t) }) {
				t.spans = t.spans[:before]
			}
		})
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

// finishTrace gives the spans their processes, which come last.
func (d *spanDecoder) finishTrace(t *jaegerTrace) {
	if d.err != nil {
		if t.found {
			d.spans = d.spans[:t.from] // their processes come last, so nobody knows whose they are
		}
		return
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

// jaegerSpan is what a span of ours has no field for.
type jaegerSpan struct {
	index    int // in the decoder
	duration int64
	process  string         // the key in processes
	parent   journey.SpanID // a field of its own before references, and where spans are stored
}

func (d *spanDecoder) jaegerSpan(t *jaegerTrace) {
	j := jaegerSpan{index: len(d.spans)}
	d.spans = append(d.spans, journey.Span{Source: d.where})
	s := &d.spans[j.index]
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
		s.Flags = uint32(d.uint(32)) & 1 // sampled, as in W3C Trace Context; the others mean something else
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

// refer makes one of the references the parent and the others links. The parent is the first CHILD_OF of the same trace;
// else, of a consumer-side span, the first FOLLOWS_FROM of the same trace, since a parent with a link to it arrives as that.
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
	if chosen < 0 && parent.IsZero() && isConsumerSide(s) {
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
		if i != chosen {
			d.links = append(d.links, journey.Link{Ref: r.Ref})
		}
	}
	s.Links = d.links[from:len(d.links):len(d.links)]
}

// isConsumerSide goes by the kind, and by the type of a messaging operation, which was messaging.operation up to 1.24 of
// the conventions.
func isConsumerSide(s *journey.Span) bool {
	if s.Kind == journey.KindConsumer {
		return true
	}
	for _, key := range [...]string{"messaging.operation.type", "messaging.operation"} {
		if v, ok := s.Attr(key); ok {
			switch v.String() {
			case "receive", "process", "deliver":
				return true
			}
			return false
		}
	}
	return false
}
