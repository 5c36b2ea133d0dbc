package source

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a document, because the decoder recurses. OTLP needs about ten levels, and three for each
// list or map within an attribute.
const maxDepth = 200

// decoder reads JSON values from the front of a byte slice, without building a tree. The first error ends it: every method
// returns the zero value from then on.
//
// It exists for speed: a general decoder would first build what is then copied into spans, at half the rate.
type decoder struct {
	text  []byte
	pos   int
	depth int
	field string // the field that is being read, for errors
	err   error
	names map[string]string // strings that occurred: most occur in every span

	repaired int // strings that were not UTF-8
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("field %q, byte %d: %w", d.field, d.pos+1, fmt.Errorf(format, args...))
	}
}

// peek skips white space and returns the next byte, or 0 at the end and after an error.
func (d *decoder) peek() byte {
	if d.err != nil {
		return 0
	}
	for ; d.pos < len(d.text); d.pos++ {
		switch c := d.text[d.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take consumes a byte that has to be there.
func (d *decoder) take(c byte) bool {
	if d.peek() != c {
		d.fail("want %q", c)
		return false
	}
	d.pos++
	return true
}

// object calls a function for each field; it has to read the value. A null is an object without fields.
func (d *decoder) object(read func(key []byte)) { d.list('{', '}', func() { d.keyed(read) }) }

func (d *decoder) keyed(read func(key []byte)) {
	key := d.rawString()
	if d.take(':') {
		read(key)
	}
}

// array calls a function for each item; it has to read it. A null is an array without items.
func (d *decoder) array(read func()) { d.list('[', ']', read) }

func (d *decoder) list(opening, closing byte, read func()) {
	if d.null() || !d.take(opening) {
		return
	}
	if d.depth++; d.depth > maxDepth {
		d.fail("nested more than %d levels deep", maxDepth)
	}
	defer func() { d.depth-- }()
	if d.peek() == closing {
		d.pos++
		return
	}
	for d.err == nil {
		read()
		if d.peek() == ',' {
			d.pos++
			continue
		}
		d.take(closing)
		return
	}
}

func (d *decoder) null() bool { return d.peek() == 'n' && d.word("null") }

// word consumes a word such as null when it is next.
func (d *decoder) word(w string) bool {
	if !bytes.HasPrefix(d.text[d.pos:], []byte(w)) {
		return false
	}
	d.pos += len(w)
	return true
}

// rawString returns what stands between quotes, escapes resolved. It is valid as long as the text.
func (d *decoder) rawString() []byte {
	if !d.take('"') {
		return nil
	}
	n := endOfString(d.text[d.pos:])
	if n < 0 {
		d.fail("a string does not end")
		return nil
	}
	raw := d.text[d.pos : d.pos+n]
	d.pos += n + 1
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	var s string
	if err := json.Unmarshal(d.text[d.pos-n-2:d.pos], &s); err != nil {
		d.fail("%w", err)
	}
	return []byte(s)
}

// Only short strings are remembered, and not more than an input with a new one in each span should hold.
const (
	maxNameLength = 64
	maxNames      = 10_000
)

// string returns a string of its own, the same one for the same bytes where possible. A null is empty.
func (d *decoder) string() string {
	if d.null() {
		return ""
	}
	raw := d.rawString()
	if len(raw) > maxNameLength {
		return d.valid(raw)
	}
	if s, ok := d.names[string(raw)]; ok {
		return s
	}
	s := d.valid(raw)
	if len(d.names) < maxNames {
		d.names[string(raw)] = s
	}
	return s
}

// valid returns a string in which U+FFFD stands for bytes that are not UTF-8, as encoding/json does it.
func (d *decoder) valid(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	d.repaired++
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// number returns the text of a number, which may stand in quotes as 64-bit integers do. A null is 0.
func (d *decoder) number() string {
	switch c := d.peek(); {
	case c == 'n' && d.word("null"):
		return "0"
	case c == '"':
		return string(d.rawString())
	}
	from := d.pos
	for d.pos < len(d.text) && isNumeric(d.text[d.pos]) {
		d.pos++
	}
	return string(d.text[from:d.pos])
}

func isNumeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (d *decoder) uint(bits int) uint64 {
	n, err := strconv.ParseUint(d.number(), 10, bits)
	d.check(err)
	return n
}

func (d *decoder) int() int64 {
	n, err := strconv.ParseInt(d.number(), 10, 64)
	d.check(err)
	return n
}

func (d *decoder) float() float64 {
	n, err := strconv.ParseFloat(d.number(), 64)
	d.check(err)
	return n
}

// check fails with what is wrong about a number.
func (d *decoder) check(err error) {
	if err == nil {
		return
	}
	var bad *strconv.NumError
	if errors.As(err, &bad) {
		err = fmt.Errorf("%.40q: %w", bad.Num, bad.Err)
	}
	d.fail("%w", err)
}

func (d *decoder) bool() bool {
	switch c := d.peek(); {
	case c == 't' && d.word("true"):
		return true
	case c == 'f' && d.word("false"), d.null():
	default:
		d.fail("want true or false")
	}
	return false
}

// enum returns a number that may be written as one of the names, which are numbered by their place.
func (d *decoder) enum(names ...string) uint8 {
	if d.peek() != '"' {
		return uint8(d.uint(8))
	}
	raw := d.rawString()
	for i, name := range names {
		if string(raw) == name {
			return uint8(i)
		}
	}
	d.fail("unknown name %.40q", raw)
	return 0
}

// id reads hexadecimal digits of either case; an empty string is no id.
func (d *decoder) id(dst []byte) {
	if d.null() {
		return
	}
	raw := d.rawString()
	if len(raw) == 0 {
		return
	}
	if len(raw) != hex.EncodedLen(len(dst)) {
		d.fail("%.40q has %d characters, want %d hexadecimal digits", raw, len(raw), hex.EncodedLen(len(dst)))
		return
	}
	if _, err := hex.Decode(dst, raw); err != nil {
		d.fail("%.40q: %w", raw, err)
	}
}

// skip passes over a value of any kind.
func (d *decoder) skip() {
	switch d.peek() {
	case '{':
		d.object(func([]byte) { d.skip() })
	case '[':
		d.array(d.skip)
	case '"':
		d.rawString()
	case 't', 'f', 'n':
		if !d.word("true") && !d.word("false") && !d.word("null") {
			d.fail("not a JSON value")
		}
	default:
		d.float()
	}
}

// skipNested passes over a value of any depth without looking into it.
func (d *decoder) skipNested() {
	if c := d.peek(); c != '{' && c != '[' {
		d.skip()
		return
	}
	for depth := 0; d.pos < len(d.text); d.pos++ {
		switch d.text[d.pos] {
		case '"':
			n := endOfString(d.text[d.pos+1:])
			if n < 0 {
				d.fail("a string does not end")
				return
			}
			d.pos += n + 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				d.pos++
				return
			}
		}
	}
	d.fail("an object does not end")
}

// shortID reads hexadecimal digits of either case from which zeros in front may be missing, as Jaeger writes ids.
func (d *decoder) shortID(dst []byte) {
	if d.null() {
		return
	}
	raw := d.rawString()
	digits := hex.EncodedLen(len(dst))
	if len(raw) > digits {
		d.fail("%.40q has %d characters, want at most %d hexadecimal digits", raw, len(raw), digits)
		return
	}
	var padded [32]byte
	for i := range padded {
		padded[i] = '0'
	}
	copy(padded[digits-len(raw):], raw)
	if _, err := hex.Decode(dst, padded[:digits]); err != nil {
		d.fail("%.40q: %w", raw, err)
	}
}

// micros reads microseconds, which may have decimals, and returns nanoseconds. What is beyond the year 2262 becomes the
// greatest time: package compare reports it as out of range.
func (d *decoder) micros() int64 {
	whole, fraction, decimals := strings.Cut(d.number(), ".")
	n, err := strconv.ParseUint(whole, 10, 64)
	d.check(err)
	if n > math.MaxInt64/1000-1 {
		return math.MaxInt64
	}
	ns := int64(n) * 1000
	if decimals {
		f, err := strconv.ParseUint((fraction + "000")[:3], 10, 16)
		d.check(err)
		ns += int64(f)
	}
	return ns
}
