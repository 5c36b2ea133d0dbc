package record

import (
	"encoding/binary"
	"errors"
)

var errShort = errors.New("record is cut short, or a length in it is wrong")

// reader reads fields one after another. After the first error, all further fields are zero.
type reader struct {
	left []byte
	err  error
}

func (r *reader) fail() {
	r.left = nil
	if r.err == nil {
		r.err = errShort
	}
}

// take returns the next n bytes, which share the input's memory.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.left)) {
		r.fail()
		return nil
	}
	b := r.left[:n:n]
	r.left = r.left[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.left = r.left[n:]
	return v
}

func (r *reader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) bytes() []byte { return r.take(r.uint()) }
func (r *reader) text() string  { return string(r.bytes()) }

// count returns how many items follow, each of at least so many bytes.
func (r *reader) count(least int) int {
	n := r.uint()
	if n > uint64(len(r.left)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

// end returns the first error, or one when bytes are left.
func (r *reader) end() error {
	if r.err == nil && len(r.left) > 0 {
		r.err = errors.New("record is longer than its fields")
	}
	return r.err
}

func appendInt(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

func appendBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}
