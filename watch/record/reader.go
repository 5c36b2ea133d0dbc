package record

import (
	"encoding/binary"
	"errors"
)

// encoded is what can be read. Of a string, texts are parts and need no memory of their own.
type encoded interface{ string | []byte }

var errShort = errors.New("record is cut short, or a length in it is wrong")

// reader reads fields one after another. After the first error, all further fields are zero.
type reader[T encoded] struct {
	left T
	err  error
}

func (r *reader[T]) fail() {
	r.left = r.left[len(r.left):]
	if r.err == nil {
		r.err = errShort
	}
}

// take returns the next n bytes, which share the input's memory, or none when there are fewer.
func (r *reader[T]) take(n uint64) T {
	if n > uint64(len(r.left)) {
		r.fail()
		return r.left
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b
}

func (r *reader[T]) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader[T]) uint() uint64 {
	v := uint64(0)
	for n := range min(len(r.left), binary.MaxVarintLen64) {
		b := r.left[n]
		if v |= uint64(b&0x7f) << (7 * n); b < 0x80 {
			if n == binary.MaxVarintLen64-1 && b > 1 {
				break // more than 64 bits
			}
			r.left = r.left[n+1:]
			return v
		}
	}
	r.fail()
	return 0
}

func (r *reader[T]) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader[T]) bytes() T     { return r.take(r.uint()) }
func (r *reader[T]) text() string { return string(r.bytes()) }

// count returns how many items follow, each of at least so many bytes.
func (r *reader[T]) count(least int) int {
	n := r.uint()
	if n > uint64(len(r.left)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

// end returns the first error, or one when bytes are left.
func (r *reader[T]) end() error {
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
