package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
)

// This file reads the protobuf messages of a MessageReader: field by field, a span at a time, by the field numbers that
// level.child lists. Decoding a message as a whole takes several times as long.

// knownResource is a resource as it was read.
type knownResource struct {
	resource *journey.Resource
	service  string
	repaired int // strings that were not UTF-8
}

// Limits of what is remembered of resources. There are as many as processes, and a process that restarts has another one.
const (
	maxKnownResources    = 2000
	maxKnownResourceSize = 8 << 10
)

func (r *MessageReader) readProtobuf(message []byte) {
	f := fields{rest: message}
	found := false
	for f.next() {
		if f.field == 1 && f.is(protowire.BytesType, "resource_spans") {
			found = true
			r.resourceSpans(f.bytes, false)
		}
	}
	switch {
	case f.cut() && f.field == 1:
		r.cutShort(func() { r.resourceSpans(f.bytes, true) })
	case f.err != nil:
		r.damaged(1, fmt.Errorf("not an OTLP protobuf message of traces: %w", f.err))
	case !found:
		r.damaged(1, errors.New("not an OTLP protobuf message of traces: it has no field resource_spans"))
	}
}

// cutShort reads a piece of which the end is missing, and counts damage also when all that is there can be read.
func (r *MessageReader) cutShort(read func()) {
	before := r.report.Damaged
	if read(); r.report.Damaged == before {
		r.damaged(1, errTruncated)
	}
}

// resourceSpans reads the spans of a resource. Wherever the resource stands in the message, it is read first, since every
// span has its name.
func (r *MessageReader) resourceSpans(message []byte, cut bool) {
	f := fields{rest: message}
	var raw []byte
	found := false
	for f.next() {
		if f.field == 1 && f.is(protowire.BytesType, "resource") {
			raw, found = join(raw, f.bytes), true
		}
	}
	if !found && (cut || f.err != nil) {
		r.damaged(1, fmt.Errorf("a resource with its spans: %w", cmp.Or(f.err, errTruncated)))
		return
	}
	known, err := r.resource(raw)
	if err != nil {
		r.damaged(1, fmt.Errorf("a resource with its spans: %w", err))
		return
	}
	r.json.repaired += known.repaired
	f = fields{rest: message}
	for f.next() {
		if isScopeSpans(f.field) && f.is(protowire.BytesType, "scope_spans") {
			r.scopeSpans(f.bytes, known)
		}
	}
	switch {
	case f.cut() && isScopeSpans(f.field):
		r.cutShort(func() { r.scopeSpans(f.bytes, known) })
	case f.err != nil:
		r.damaged(1, fmt.Errorf("a part of a resource's spans: %w", f.err))
	}
}

// join appends a field that occurs once more, which merges the two. Almost always there is one.
func join(first, next []byte) []byte {
	if len(first) == 0 {
		return next
	}
	return append(slices.Clip(first), next...)
}

func isScopeSpans(field protowire.Number) bool {
	inner, _ := resourceSpans.child(field)
	return inner == scopeSpans
}

// resource reads a resource, or finds it among those that were read before.
func (r *MessageReader) resource(raw []byte) (*knownResource, error) {
	if known, ok := r.known[string(raw)]; ok {
		return known, nil
	}
	if err := checkNesting(raw, resource, 4); err != nil {
		return nil, err
	}
	traces, err := unmarshal(wrap(raw, 1, 1))
	if err != nil {
		return nil, err
	}
	var c converter
	c.resourceOf(traces.ResourceSpans().At(0).Resource())
	known := &knownResource{resource: c.resource, service: c.service, repaired: c.repaired}
	if len(raw) <= maxKnownResourceSize {
		if len(r.known) >= maxKnownResources {
			clear(r.known)
		}
		r.known[string(raw)] = known
	}
	return known, nil
}

// wrap returns a message with a value in fields of these numbers, the innermost first.
func wrap(value []byte, numbers ...protowire.Number) []byte {
	for _, field := range numbers {
		value = protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), value)
	}
	return value
}

func (r *MessageReader) scopeSpans(message []byte, of *knownResource) {
	scope, err := r.scope(message)
	if err != nil {
		r.damaged(1, fmt.Errorf("a scope with its spans: %w", err))
		return
	}
	f := fields{rest: message}
	for f.next() {
		if f.field == 2 && f.is(protowire.BytesType, "spans") {
			r.protobufSpan(f.bytes, of, scope)
		}
	}
	switch {
	case f.cut() && f.field == 2:
		r.damaged(1, fmt.Errorf("a span: %w", f.err))
	case f.err != nil:
		r.damaged(1, fmt.Errorf("a part of a scope's spans: %w", f.err))
	}
}

// scope reads the scope of some spans: its name, and its attributes of tail samplers into the reader's marks.
func (r *MessageReader) scope(message []byte) (name string, err error) {
	r.marks = r.marks[:0]
	f := fields{rest: message}
	for f.next() {
		if f.field != 1 || !f.is(protowire.BytesType, "scope") {
			continue
		}
		inner := fields{rest: f.bytes}
		for inner.next() {
			switch {
			case inner.field == 1 && inner.is(protowire.BytesType, "name"):
				name = r.json.intern(inner.bytes)
			case inner.field == 3 && inner.is(protowire.BytesType, "attributes"):
				r.marks, inner.err = r.keyValue(r.marks, inner.bytes, r.mark)
			}
		}
		if inner.err != nil {
			return "", inner.err
		}
	}
	return name, nil
}

// mark returns the string of a key, and whether it is one of a tail sampler.
func (r *MessageReader) mark(raw []byte) (name string, keep bool) {
	return r.json.valid(raw), journey.IsTailMark(string(raw))
}
