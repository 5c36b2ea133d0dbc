package source

import (
	"encoding/base64"
	"math"
	"slices"

	"tracelab/journey"
)

// This file reads OTLP/JSON by the protobuf JSON mapping of OTLP: field names in lowerCamelCase or as in the proto files,
// ids in hexadecimal, 64-bit numbers as strings or numbers, enums as numbers or names. Unknown fields are skipped, as the
// OTLP specification asks.

func (d *spanDecoder) resourceSpans() {
	before := len(d.spans)
	resource := &journey.Resource{}
	service, known := "", true
	d.object(func(key []byte) {
		switch string(key) {
		case "resource":
			known = d.guarded("a resource with its spans", func() { d.resource(resource) })
			service = describe(resource)
		case "scopeSpans", "scope_spans", "instrumentationLibrarySpans": // the last was its name up to OTLP 0.14
			d.array(d.scopeSpans)
		default:
			d.skip()
		}
	})
	if !known || d.err != nil && resource.Attributes == nil {
		for i := range d.spans[before:] {
			d.damagedTraces = append(d.damagedTraces, d.spans[before+i].Trace)
		}
		d.spans = d.spans[:before] // their service is not known
	}
	for i := range d.spans[before:] {
		s := &d.spans[before+i]
		s.Service, s.Resource = service, resource
	}
}

func (d *spanDecoder) resource(r *journey.Resource) {
	d.object(func(key []byte) {
		if string(key) == "attributes" {
			r.Attributes = d.attributeList()
		} else {
			d.skip()
		}
	})
}

// describe fills in the fields of a resource from its attributes, and returns its service.name.
func describe(r *journey.Resource) (service string) {
	for _, a := range r.Attributes {
		switch a.Key {
		case "service.name":
			service = a.Value.String()
		case "service.instance.id":
			r.InstanceID = a.Value.String()
		case "host.id":
			r.HostID = a.Value.String()
		case "host.name":
			r.HostName = a.Value.String()
		}
	}
	return service
}

func (d *spanDecoder) scopeSpans() {
	before := len(d.spans)
	scope := ""
	var marks []journey.Attribute
	d.object(func(key []byte) {
		switch string(key) {
		case "scope", "instrumentationLibrary":
			d.guarded("a scope", func() {
				d.object(func(key []byte) {
					switch string(key) {
					case "name":
						scope = d.string()
					case "attributes":
						marks = tailMarks(d.attributeList())
					default:
						d.skip()
					}
				})
			})
		case "spans":
			d.array(func() { d.guarded("a span", d.span) })
		default:
			d.skip()
		}
	})
	for i := range d.spans[before:] {
		s := &d.spans[before+i]
		s.Scope = scope
		if len(marks) > 0 {
			s.Attributes = append(slices.Clip(s.Attributes), marks...)
		}
	}
}

// tailMarks returns those attributes of a scope which say that a tail sampler chose its spans. The spans get them: nothing else of a
// scope's attributes is kept.
func tailMarks(list []journey.Attribute) []journey.Attribute {
	return slices.DeleteFunc(slices.Clone(list), func(a journey.Attribute) bool { return !journey.IsTailMark(a.Key) })
}

func (d *spanDecoder) span() {
	s := d.newSpan()
	d.object(func(key []byte) { d.spanField(s, key) })
	if d.strict && d.err == nil {
		if err := incomplete(s); err != nil {
			d.fail("%w", err)
		}
	}
	liftWarnings(s)
}

func (d *spanDecoder) spanField(s *journey.Span, key []byte) {
	d.field = fieldName(key)
	switch string(key) {
	case "traceId", "trace_id":
		d.id(s.Trace[:])
	case "spanId", "span_id":
		d.id(s.ID[:])
	case "parentSpanId", "parent_span_id":
		d.id(s.Parent[:])
	case "name":
		s.Name = d.string()
	case "kind":
		s.Kind = journey.Kind(d.enum("SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"))
	case "startTimeUnixNano", "start_time_unix_nano":
		s.Start = d.time()
	case "endTimeUnixNano", "end_time_unix_nano":
		s.End = d.time()
	case "attributes":
		s.Attributes = d.keptAttributes()
	case "links":
		s.Links = d.linkList()
	case "status":
		d.status(s)
	case "traceState", "trace_state":
		s.TraceState = d.string()
	case "flags":
		s.Flags = uint32(d.uint(32))
	case "droppedAttributesCount", "dropped_attributes_count":
		s.DroppedAttributes = uint32(d.uint(32))
	case "droppedEventsCount", "dropped_events_count":
		s.DroppedEvents = uint32(d.uint(32))
	case "droppedLinksCount", "dropped_links_count":
		s.DroppedLinks = uint32(d.uint(32))
	default:
		d.skip()
	}
}

// time reads nanoseconds. A time beyond the year 2262 becomes the greatest one, which package journey reports as out of range.
func (d *spanDecoder) time() int64 { return int64(min(d.uint(64), math.MaxInt64)) }

func (d *spanDecoder) status(s *journey.Span) {
	d.object(func(key []byte) {
		switch string(key) {
		case "code":
			s.Status = journey.Status(d.enum("STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"))
		case "message":
			s.StatusMessage = d.string()
		default:
			d.skip()
		}
	})
}

func (d *spanDecoder) linkList() []journey.Link {
	if cap(d.links)-len(d.links) < 4 {
		d.links = make([]journey.Link, 0, 64)
	}
	from := len(d.links)
	d.array(func() {
		var l journey.Link
		d.object(func(key []byte) {
			switch string(key) {
			case "traceId", "trace_id":
				d.id(l.Trace[:])
			case "spanId", "span_id":
				d.id(l.Span[:])
			case "flags":
				l.Flags = uint32(d.uint(32))
			case "droppedAttributesCount", "dropped_attributes_count":
				l.DroppedAttributes = uint32(d.uint(32))
			case "attributes":
				l.Attributes = d.keptAttributes()
			default:
				d.skip()
			}
		})
		d.links = append(d.links, l)
	})
	return d.links[from:len(d.links):len(d.links)]
}

func (d *spanDecoder) attributeList() []journey.Attribute {
	if cap(d.attributes)-len(d.attributes) < 16 {
		d.attributes = make([]journey.Attribute, 0, 512)
	}
	from := len(d.attributes)
	d.array(func() {
		var a journey.Attribute
		d.object(func(key []byte) {
			switch string(key) {
			case "key":
				a.Key = d.string()
			case "value":
				a.Value = d.value()
			default:
				d.skip()
			}
		})
		d.attributes = append(d.attributes, a)
	})
	return d.attributes[from:len(d.attributes):len(d.attributes)]
}

// keptAttributes reads those attributes of a span or link that are wanted, and skips the others.
func (d *spanDecoder) keptAttributes() []journey.Attribute {
	if d.key == nil {
		return d.attributeList()
	}
	if cap(d.attributes)-len(d.attributes) < 16 {
		d.attributes = make([]journey.Attribute, 0, 512)
	}
	from := len(d.attributes)
	d.array(func() {
		var a journey.Attribute
		known, keep := false, false
		d.object(func(key []byte) {
			switch {
			case string(key) == "key" && !d.null():
				a.Key, keep = d.key(d.rawString())
				known = true
			case string(key) == "value" && (keep || !known):
				a.Value = d.value()
			case string(key) != "key":
				d.skip()
			}
		})
		if keep {
			d.attributes = append(d.attributes, a)
		}
	})
	return d.attributes[from:len(d.attributes):len(d.attributes)]
}

// value reads an AnyValue.
func (d *spanDecoder) value() journey.Value {
	var v journey.Value
	d.object(func(key []byte) {
		switch string(key) {
		case "stringValue", "string_value":
			v = journey.StringValue(d.string())
		case "boolValue", "bool_value":
			v = journey.BoolValue(d.bool())
		case "intValue", "int_value":
			v = journey.IntValue(d.int())
		case "doubleValue", "double_value":
			v = journey.FloatValue(d.float())
		case "bytesValue", "bytes_value":
			v = journey.BytesValue(d.bytes())
		case "arrayValue", "array_value", "kvlistValue", "kvlist_value":
			v = journey.JSONValue(jsonText(d.nested(key)))
		default:
			d.skip()
		}
	})
	return v
}

func (d *spanDecoder) bytes() []byte {
	b, err := base64.StdEncoding.DecodeString(d.string())
	if err != nil {
		d.fail("%w", err)
	}
	return b
}

// fieldName returns the name of a field, without an allocation for the fields that can fail to be read.
func fieldName(key []byte) string {
	for _, name := range [...]string{
		"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "links", "status", "flags",
	} {
		if string(key) == name {
			return name
		}
	}
	return string(key)
}
