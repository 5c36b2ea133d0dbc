package source

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// errTruncated reports a field that is longer than the message which has it.
var errTruncated = errors.New("truncated")

// fields walks through the fields of a protobuf message, without memory of its own and without recursion.
type fields struct {
	rest   []byte
	field  protowire.Number
	kind   protowire.Type
	bytes  []byte // of a length-delimited field; when that is truncated, what there is of it
	number uint64 // of any other field but a group
	err    error
}

// next moves on to the next field. It returns false at the end, and when the message is damaged: then err says why.
func (f *fields) next() bool {
	if len(f.rest) == 0 || f.err != nil {
		return false
	}
	field, kind, n := protowire.ConsumeTag(f.rest)
	if n < 0 {
		return f.fails(n)
	}
	f.rest = f.rest[n:]
	f.field, f.kind, f.bytes, f.number = field, kind, nil, 0
	switch kind {
	case protowire.VarintType:
		f.number, n = protowire.ConsumeVarint(f.rest)
	case protowire.Fixed64Type:
		f.number, n = protowire.ConsumeFixed64(f.rest)
	case protowire.Fixed32Type:
		var number uint32
		number, n = protowire.ConsumeFixed32(f.rest)
		f.number = uint64(number)
	case protowire.BytesType:
		return f.delimited()
	default:
		n = protowire.ConsumeFieldValue(field, kind, f.rest)
	}
	if n < 0 {
		return f.fails(n)
	}
	f.rest = f.rest[n:]
	return true
}

// delimited reads the length and the bytes of a field.
func (f *fields) delimited() bool {
	size, n := protowire.ConsumeVarint(f.rest)
	if n < 0 {
		return f.fails(n)
	}
	f.rest = f.rest[n:]
	if size > uint64(len(f.rest)) {
		f.bytes, f.rest, f.err = f.rest, nil, errTruncated
		return false
	}
	f.bytes, f.rest = f.rest[:size], f.rest[size:]
	return true
}

func (f *fields) fails(code int) bool {
	f.err = protowire.ParseError(code)
	if errors.Is(f.err, io.ErrUnexpectedEOF) {
		f.err = errTruncated
	}
	return false
}

// is reports whether the field is encoded in that way. Otherwise the message is damaged.
func (f *fields) is(kind protowire.Type, name string) bool {
	if f.kind == kind {
		return true
	}
	f.err = fmt.Errorf("field %q: encoded with wire type %d, want %d", name, f.kind, kind)
	return false
}

// id reads a field with an id. An id without bytes is no id.
func (f *fields) id(dst []byte, name string) {
	switch {
	case !f.is(protowire.BytesType, name):
	case len(f.bytes) == 0:
		clear(dst)
	case len(f.bytes) != len(dst):
		f.err = fmt.Errorf("field %q has %d bytes, want %d", name, len(f.bytes), len(dst))
	default:
		copy(dst, f.bytes)
	}
}

// uint reads a field with a number. It is 0 where the field is encoded in another way.
func (f *fields) uint(kind protowire.Type, name string) uint64 {
	if !f.is(kind, name) {
		return 0
	}
	return f.number
}

// cut reports whether the message ends within a length-delimited field, of which there is a part.
func (f *fields) cut() bool {
	return errors.Is(f.err, errTruncated) && f.kind == protowire.BytesType && len(f.bytes) > 0
}

// in returns the error of a message within a field, and names that field.
func (f *fields) in(name string) error {
	if f.err == nil {
		return nil
	}
	return fmt.Errorf("field %q: %w", name, f.err)
}
