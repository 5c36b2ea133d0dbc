package source

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
)

// protobufSpan reads one span, in memory that the next one uses again, and hands it on.
func (r *MessageReader) protobufSpan(message []byte, of *knownResource, scope string) {
	r.attributes, r.ofLinks, r.links = r.attributes[:0], r.ofLinks[:0], r.links[:0]
	s := &r.span
	*s = journey.Span{Service: of.service, Resource: of.resource, Scope: scope}
	f := fields{rest: message}
	for f.next() {
		r.spanField(s, &f)
	}
	if f.err != nil {
		r.damaged(1, fmt.Errorf("a span: %w", f.err))
		return
	}
	r.attributes = append(r.attributes, r.marks...)
	s.Attributes, s.Links = r.attributes, r.links
	liftWarnings(s)
	r.emit(s)
}

func (r *MessageReader) spanField(s *journey.Span, f *fields) {
	switch f.field {
	case 1:
		f.id(s.Trace[:], "trace_id")
	case 2:
		f.id(s.ID[:], "span_id")
	case 3:
		s.TraceState = r.text(f, "trace_state")
	case 4:
		f.id(s.Parent[:], "parent_span_id")
	case 5:
		s.Name = r.text(f, "name")
	case 6:
		s.Kind = journey.Kind(min(uint32(f.uint(protowire.VarintType, "kind")), math.MaxUint8))
	case 7:
		s.Start = int64(min(f.uint(protowire.Fixed64Type, "start_time_unix_nano"), math.MaxInt64))
	case 8:
		s.End = int64(min(f.uint(protowire.Fixed64Type, "end_time_unix_nano"), math.MaxInt64))
	case 9:
		if f.is(protowire.BytesType, "attributes") {
			r.attributes, f.err = r.keyValue(r.attributes, f.bytes, r.key)
		}
	case 10:
		s.DroppedAttributes = uint32(f.uint(protowire.VarintType, "dropped_attributes_count"))
	case 12:
		s.DroppedEvents = uint32(f.uint(protowire.VarintType, "dropped_events_count"))
	case 13:
		if f.is(protowire.BytesType, "links") {
			f.err = r.link(f.bytes)
		}
	case 14:
		s.DroppedLinks = uint32(f.uint(protowire.VarintType, "dropped_links_count"))
	case 15:
		if f.is(protowire.BytesType, "status") {
			f.err = r.status(s, f.bytes)
		}
	case 16:
		s.Flags = uint32(f.uint(protowire.Fixed32Type, "flags"))
	}
}

// maxInterned is up to how many bytes a value is looked up among those that were read: longer ones are often ids, which do
// not come again.
const maxInterned = 32

// text reads a field with a string.
func (r *MessageReader) text(f *fields, name string) string {
	switch {
	case !f.is(protowire.BytesType, name):
		return ""
	case len(f.bytes) > maxInterned:
		return r.json.valid(f.bytes)
	}
	return r.json.intern(f.bytes)
}

func (r *MessageReader) status(s *journey.Span, message []byte) error {
	f := fields{rest: message}
	for f.next() {
		switch f.field {
		case 2:
			s.StatusMessage = r.text(&f, "message")
		case 3:
			s.Status = journey.Status(min(uint32(f.uint(protowire.VarintType, "code")), math.MaxUint8))
		}
	}
	return f.in("status")
}

func (r *MessageReader) link(message []byte) error {
	var l journey.Link
	from := len(r.ofLinks)
	f := fields{rest: message}
	for f.next() {
		switch f.field {
		case 1:
			f.id(l.Trace[:], "trace_id")
		case 2:
			f.id(l.Span[:], "span_id")
		case 4:
			if f.is(protowire.BytesType, "attributes") {
				r.ofLinks, f.err = r.keyValue(r.ofLinks, f.bytes, r.key)
			}
		case 5:
			l.DroppedAttributes = uint32(f.uint(protowire.VarintType, "dropped_attributes_count"))
		case 6:
			l.Flags = uint32(f.uint(protowire.Fixed32Type, "flags"))
		}
	}
	l.Attributes = r.ofLinks[from:len(r.ofLinks):len(r.ofLinks)]
	r.links = append(r.links, l)
	return f.in("links")
}

// keyValue appends an attribute to a list when its key is wanted. It does not look at the value of any other.
func (r *MessageReader) keyValue(list []journey.Attribute, message []byte, key func([]byte) (string, bool)) ([]journey.Attribute, error) {
	var name, raw []byte
	f := fields{rest: message}
	for f.next() {
		switch {
		case f.field == 1 && f.is(protowire.BytesType, "key"):
			name = f.bytes
		case f.field == 2 && f.is(protowire.BytesType, "value"):
			raw = join(raw, f.bytes)
		}
	}
	if f.err != nil {
		return list, f.in("attributes")
	}
	text, keep := key(name)
	if !keep {
		return list, nil
	}
	value, err := r.value(raw)
	if err != nil {
		return list, fmt.Errorf("attribute %.40q: %w", text, err)
	}
	return append(list, journey.Attribute{Key: text, Value: value}), nil
}

// value reads an AnyValue. Of several the last counts.
func (r *MessageReader) value(message []byte) (v journey.Value, err error) {
	f := fields{rest: message}
	for f.next() {
		switch f.field {
		case 1:
			v = journey.StringValue(r.text(&f, "string_value"))
		case 2:
			v = journey.BoolValue(f.uint(protowire.VarintType, "bool_value") != 0)
		case 3:
			v = journey.IntValue(int64(f.uint(protowire.VarintType, "int_value")))
		case 4:
			v = journey.FloatValue(math.Float64frombits(f.uint(protowire.Fixed64Type, "double_value")))
		case 5, 6:
			return r.nested(message)
		case 7:
			if f.is(protowire.BytesType, "bytes_value") {
				v = journey.BytesValue(f.bytes)
			}
		}
	}
	return v, f.err
}

// nested reads an AnyValue with a list or map: as an attribute of a resource, decoded as a whole. Few spans have one.
func (r *MessageReader) nested(message []byte) (journey.Value, error) {
	const depth = 10 // of the value of a span's attribute
	if err := checkNesting(message, anyValue, depth); err != nil {
		return journey.Value{}, err
	}
	traces, err := unmarshal(wrap(message, 2, 1, 1, 1))
	if err != nil {
		return journey.Value{}, err
	}
	c := converter{}
	defer func() { r.json.repaired += c.repaired }()
	for _, v := range traces.ResourceSpans().At(0).Resource().Attributes().All() {
		return c.value(v), nil
	}
	return journey.Value{}, nil
}
