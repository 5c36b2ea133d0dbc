package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the recursion of the decoder: a store may have wrapped a document that lies within MaxDepth.
const maxDepth = MaxDepth + 10

// decoder reads JSON values from the front of a byte slice, without building a tree: that is twice as fast as a general
// decoder, whose values would have to be copied into spans. After the first error every method returns the zero value.
type decoder struct {
	text   []byte
	pos    int
	window window // where more text comes from
	depth  int
	failed int    // the depth at which err was found
	field  string // the field that is being read, for errors
	err    error
	names  map[string]string // short strings that were read: most occur in every span

	repaired int // strings that were not UTF-8

	// key returns the string of an attribute's key, and whether a span keeps that attribute; nil keeps all.
	key func(raw []byte) (name string, keep bool)
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.failed = d.depth
		d.err = fmt.Errorf("field %q, byte %d: %w", d.field, d.window.dropped+d.pos+1, fmt.Errorf(format, args...))
	}
}

// peek skips white space and returns the next byte, or 0 at the end and after an error.
func (d *decoder) peek() byte {
	if d.err != nil {
		return 0
	}
	for {
		for ; d.pos < len(d.text); d.pos++ {
			switch c := d.text[d.pos]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c
			}
		}
		if !d.fill(&d.pos) {
			return 0
		}
	}
}

// take consumes a byte, and fails when another one is next.
func (d *decoder) take(c byte) bool {
	if d.peek() != c {
		d.fail("want %q", c)
		return false
	}
	d.pos++
	return true
}

// object calls read for each field; read must consume the value. A null is an object without fields.
func (d *decoder) object(read func(key []byte)) { d.list('{', '}', func() { d.keyed(read) }) }

func (d *decoder) keyed(read func(key []byte)) {
	key := d.rawString()
	if d.pos == len(d.text) || d.text[d.pos] != ':' {
		key = bytes.Clone(key) // reading on may overwrite it
	}
	if d.take(':') {
		read(key)
	}
}

// array calls read for each item; read must consume it. A null is an array without items.
func (d *decoder) array(read func()) { d.list('[', ']', read) }

func (d *decoder) list(opening, closing byte, read func()) {
	if d.null() || !d.take(opening) {
		return
	}
	if d.depth++; d.depth > maxDepth {
		d.fail("%w", ErrTooDeep)
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
	for len(d.text)-d.pos < len(w) && d.fill(&d.pos) {
	}
	if !bytes.HasPrefix(d.text[d.pos:], []byte(w)) {
		return false
	}
	d.pos += len(w)
	return true
}

// rawString returns the content of a string, with its escapes resolved. It is valid until more text is read.
func (d *decoder) rawString() []byte {
	if !d.take('"') {
		return nil
	}
	n, ok := d.restOfString()
	if !ok {
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

// restOfString returns how many bytes the current string has from here to its closing quote.
func (d *decoder) restOfString() (n int, ok bool) {
	for from := 0; ; {
		n = endOfString(d.text[d.pos+from:])
		if n >= 0 {
			n += from
			break
		}
		from = len(bytes.TrimRight(d.text[d.pos:], `\`))
		start := d.pos - 1 // the opening quote
		if !d.fill(&start) {
			d.fail("a string does not end")
			return 0, false
		}
	}
	if d.window.more != nil && d.window.lineEnds(d.text, d.pos, d.pos+n) {
		d.fail("a string does not end on its line")
		return 0, false
	}
	return n, true
}

// Limits of names: long strings rarely recur, and an input with a new string in each span must not fill the memory.
const (
	maxNameLength = 64
	maxNames      = 10_000
)

// string returns a string that stays valid, the same one for the same bytes where possible. A null is empty.
func (d *decoder) string() string {
	if d.null() {
		return ""
	}
	return d.intern(d.rawString())
}

// intern returns the string of some bytes.
func (d *decoder) intern(raw []byte) string {
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

// valid returns a string with U+FFFD for bytes that are not UTF-8, as encoding/json does.
func (d *decoder) valid(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	d.repaired++
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// skip skips a value of any kind.
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

// skipNested skips a value of any depth without recursion. It fails when the value does not end before another document
// begins.
func (d *decoder) skipNested() {
	if c := d.peek(); c != '{' && c != '[' {
		d.skip()
		return
	}
	for depth := 0; d.err == nil && (d.pos < len(d.text) || d.fill(&d.pos)); d.pos++ {
		switch d.text[d.pos] {
		case '"':
			d.pos++
			n, ok := d.restOfString()
			if !ok {
				return // where the text ends: nothing lies behind
			}
			d.pos += n
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				d.pos++
				return
			}
		case '\n':
			for len(d.text)-d.pos <= longestKey && d.fill(&d.pos) {
			}
			if startsDocument(d.text[d.pos+1:]) {
				d.fail("truncated: another object begins before this one ends")
				return
			}
		}
	}
	d.fail("an object does not end")
}
