package record

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"tracelab/journey"
)

// version is the first byte of every encoded span and record. Readers refuse other versions.
const version = 1

// AppendSpan appends an encoded span to dst, with only the attributes that the judge reads: see Reads. Equal spans give equal bytes.
func AppendSpan(dst []byte, s *journey.Span) []byte {
	dst = append(dst, version)
	dst = appendBytes(dst, appendResource(make([]byte, 0, 128), s))
	return appendBody(dst, s)
}

// DecodeSpan decodes what AppendSpan wrote. The span shares no memory with b.
func DecodeSpan(b []byte) (journey.Span, error) {
	resource, body, err := Split(b)
	if err != nil {
		return journey.Span{}, err
	}
	service, of, err := DecodeResource(resource)
	if err != nil {
		return journey.Span{}, err
	}
	s, err := DecodeBody(string(body))
	s.Service, s.Resource = service, of
	return s, err
}

// Split parts an encoded span into its resource, which many spans share, and its body. Both share the memory of b.
func Split(b []byte) (resource, body []byte, err error) {
	r := reader[[]byte]{left: b}
	if v := r.byte(); r.err == nil && v != version {
		return nil, nil, fmt.Errorf("span has version %d, want %d", v, version)
	}
	resource = r.bytes()
	return resource, r.left, r.err
}

// Join appends to dst the span that Split parted.
func Join(dst []byte, resource, body string) []byte {
	return append(appendBytes(append(dst, version), resource), body...)
}

func appendResource(dst []byte, s *journey.Span) []byte {
	dst = appendBytes(dst, s.Service)
	var of journey.Resource
	if s.Resource != nil {
		of = *s.Resource
	}
	dst = appendBytes(appendBytes(appendBytes(dst, of.HostID), of.HostName), of.InstanceID)
	if !unnamed(s) {
		of.Attributes = nil
	}
	dst = binary.AppendUvarint(dst, uint64(len(of.Attributes)))
	for i := range of.Attributes {
		dst = appendValue(appendBytes(dst, of.Attributes[i].Key), of.Attributes[i].Value)
	}
	return dst
}

// DecodeResource decodes the resource that Split returned, and the service's name.
func DecodeResource(b []byte) (service string, of *journey.Resource, err error) {
	r := reader[[]byte]{left: b}
	service = r.text()
	of = &journey.Resource{HostID: r.text(), HostName: r.text(), InstanceID: r.text()}
	for range r.count(2) {
		of.Attributes = append(of.Attributes, journey.Attribute{Key: r.text(), Value: r.value()})
	}
	return service, of, r.end()
}

// Bits of the first byte of a span's body, and of a link.
const (
	hasParent = 1 << iota
	hasState
	hasFlags
	hasDropped
	sameTrace
)

func appendBody(dst []byte, s *journey.Span) []byte {
	state := sampling(s.TraceState)
	has := byte(0)
	if !s.Parent.IsZero() {
		has |= hasParent
	}
	if state != "" {
		has |= hasState
	}
	if s.Flags != 0 {
		has |= hasFlags
	}
	if s.DroppedAttributes|s.DroppedEvents|s.DroppedLinks != 0 {
		has |= hasDropped
	}
	dst = append(append(append(dst, has), s.Trace[:]...), s.ID[:]...)
	if has&hasParent != 0 {
		dst = append(dst, s.Parent[:]...)
	}
	dst = appendInt(appendInt(dst, s.Start), s.End-s.Start)
	dst = appendBytes(append(dst, byte(s.Kind), byte(s.Status)), s.Name)
	if has&hasState != 0 {
		dst = appendBytes(dst, state)
	}
	if has&hasFlags != 0 {
		dst = binary.AppendUvarint(dst, uint64(s.Flags))
	}
	if has&hasDropped != 0 {
		for _, n := range [...]uint32{s.DroppedAttributes, s.DroppedEvents, s.DroppedLinks} {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	}
	dst = appendAttributes(dst, s.Attributes)
	dst = binary.AppendUvarint(dst, uint64(len(s.Links)))
	for i := range s.Links {
		dst = appendLink(dst, &s.Links[i], s.Trace)
	}
	return dst
}

// DecodeBody decodes the body that Split returned: a span without service and resource. The span's texts are parts
// of b.
func DecodeBody(b string) (journey.Span, error) {
	var s journey.Span
	err := DecodeBodyInto(&s, b)
	return s, err
}

// DecodeBodyInto is DecodeBody that reuses the memory of what s held before: its attributes and links.
func DecodeBodyInto(s *journey.Span, b string) error {
	attributes, links := s.Attributes[:0], s.Links[:0]
	*s = journey.Span{}
	r := reader[string]{left: b}
	has := r.byte()
	copy(s.Trace[:], r.take(16))
	copy(s.ID[:], r.take(8))
	if has&hasParent != 0 {
		copy(s.Parent[:], r.take(8))
	}
	s.Start = r.int()
	s.End = s.Start + r.int()
	s.Kind, s.Status = journey.Kind(r.byte()), journey.Status(r.byte())
	s.Name = r.text()
	if has&hasState != 0 {
		s.TraceState = r.text()
	}
	if has&hasFlags != 0 {
		s.Flags = uint32(r.uint())
	}
	if has&hasDropped != 0 {
		s.DroppedAttributes, s.DroppedEvents, s.DroppedLinks = uint32(r.uint()), uint32(r.uint()), uint32(r.uint())
	}
	s.Attributes = r.attributes(attributes)
	n := r.count(10)
	s.Links = slices.Grow(links, n)
	for range n {
		s.Links = append(s.Links, r.link(s.Trace))
	}
	return r.end()
}

// BodyRef returns the ids of a span from the rest of Split, which DecodeBody can read.
func BodyRef(b string) (r journey.Ref) {
	if len(b) >= 1+len(r.Trace)+len(r.Span) {
		copy(r.Trace[:], b[1:])
		copy(r.Span[:], b[1+len(r.Trace):])
	}
	return r
}

func appendLink(dst []byte, l *journey.Link, trace journey.TraceID) []byte {
	has := byte(0)
	if l.Trace == trace {
		has |= sameTrace
	}
	if l.Flags != 0 {
		has |= hasFlags
	}
	if l.DroppedAttributes != 0 {
		has |= hasDropped
	}
	dst = append(dst, has)
	if has&sameTrace == 0 {
		dst = append(dst, l.Trace[:]...)
	}
	dst = append(dst, l.Span[:]...)
	if has&hasFlags != 0 {
		dst = binary.AppendUvarint(dst, uint64(l.Flags))
	}
	if has&hasDropped != 0 {
		dst = binary.AppendUvarint(dst, uint64(l.DroppedAttributes))
	}
	return appendAttributes(dst, l.Attributes)
}

func (r *reader[T]) link(trace journey.TraceID) journey.Link {
	l := journey.Link{Ref: journey.Ref{Trace: trace}}
	has := r.byte()
	if has&sameTrace == 0 {
		copy(l.Trace[:], r.take(16))
	}
	copy(l.Span[:], r.take(8))
	if has&hasFlags != 0 {
		l.Flags = uint32(r.uint())
	}
	if has&hasDropped != 0 {
		l.DroppedAttributes = uint32(r.uint())
	}
	l.Attributes = r.attributes(nil)
	return l
}

func appendAttributes(dst []byte, list []journey.Attribute) []byte {
	n := 0
	for i := range list {
		if _, u := code(list[i].Key); u != unread {
			n++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for i := range list {
		number, u := code(list[i].Key)
		if u == unread {
			continue
		}
		if dst = binary.AppendUvarint(dst, uint64(number)); number == 0 {
			dst = appendBytes(dst, list[i].Key)
		}
		if u == presence {
			dst = append(dst, byte(journey.ValueEmpty))
		} else {
			dst = appendValue(dst, list[i].Value)
		}
	}
	return dst
}

// attributes reads attributes into the memory of a list.
func (r *reader[T]) attributes(list []journey.Attribute) []journey.Attribute {
	n := r.count(2)
	list = slices.Grow(list[:0], n)[:n]
	for i := range list {
		list[i] = journey.Attribute{}
		switch k := r.uint(); {
		case k == 0:
			list[i].Key = r.text()
		case k <= uint64(len(keys)):
			list[i].Key = keys[k-1].name
		default:
			r.fail()
		}
		list[i].Value = r.value()
	}
	return list
}

func appendValue(dst []byte, v journey.Value) []byte {
	dst = append(dst, byte(v.Kind()))
	switch v.Kind() {
	case journey.ValueEmpty:
	case journey.ValueInt:
		n, _ := v.Int64()
		dst = appendInt(dst, n)
	case journey.ValueFloat:
		f, _ := strconv.ParseFloat(v.String(), 64)
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
	case journey.ValueBool:
		if v.String() == "true" {
			return append(dst, 1)
		}
		dst = append(dst, 0)
	case journey.ValueBytes:
		raw, _ := hex.DecodeString(v.String())
		dst = appendBytes(dst, raw)
	case journey.ValueString, journey.ValueJSON:
		dst = appendBytes(dst, v.String())
	}
	return dst
}

func (r *reader[T]) value() journey.Value {
	switch journey.ValueKind(r.byte()) {
	case journey.ValueEmpty:
	case journey.ValueInt:
		return journey.IntValue(r.int())
	case journey.ValueFloat:
		if b := r.take(8); len(b) == 8 {
			return journey.FloatValue(math.Float64frombits(binary.BigEndian.Uint64([]byte(b))))
		}
	case journey.ValueBool:
		return journey.BoolValue(r.byte() == 1)
	case journey.ValueBytes:
		return journey.BytesValue([]byte(r.bytes()))
	case journey.ValueString:
		return journey.StringValue(r.text())
	case journey.ValueJSON:
		return journey.JSONValue(r.text())
	default:
		r.fail()
	}
	return journey.Value{}
}
