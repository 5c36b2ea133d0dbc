package source

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// number returns the text of a number, which may be quoted, as 64-bit integers are. A null is 0. It is valid until more text
// is read.
func (d *decoder) number() []byte {
	switch c := d.peek(); {
	case c == 'n' && d.word("null"):
		return []byte{'0'}
	case c == '"':
		return d.rawString()
	}
	from := d.pos
	for {
		for d.pos < len(d.text) && isNumeric(d.text[d.pos]) {
			d.pos++
		}
		if d.pos < len(d.text) || !d.fill(&from) {
			return d.text[from:d.pos]
		}
	}
}

func isNumeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (d *decoder) uint(bits int) uint64 {
	n, err := strconv.ParseUint(string(d.number()), 10, bits)
	d.check(err)
	return n
}

func (d *decoder) int() int64 {
	n, err := strconv.ParseInt(string(d.number()), 10, 64)
	d.check(err)
	return n
}

func (d *decoder) float() float64 {
	n, err := strconv.ParseFloat(string(d.number()), 64)
	d.check(err)
	return n
}

// check fails with an error of strconv.
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

// enum returns a number that may be written as one of the names: their positions are their numbers.
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

// id reads hexadecimal digits of either case, or base64, which some stores write because the JSON mapping of protobuf does.
// The two differ in length. An empty string is no id.
func (d *decoder) id(dst []byte) {
	if d.null() {
		return
	}
	raw := d.rawString()
	if len(raw) == 0 {
		return
	}
	if len(raw) == base64.StdEncoding.EncodedLen(len(dst)) && raw[len(raw)-1] == '=' {
		var decoded [18]byte // 24 characters may be of 16 to 18 bytes
		n, err := base64.StdEncoding.Strict().Decode(decoded[:], raw)
		if err == nil && n != len(dst) {
			err = fmt.Errorf("it is %d bytes in base64, want %d", n, len(dst))
		}
		if err != nil {
			d.fail("%.40q: %w", raw, err)
			return
		}
		copy(dst, decoded[:n])
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

// shortID reads hexadecimal digits of either case without leading zeros, as Jaeger may write ids.
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

// micros reads microseconds, which may have decimals, and returns nanoseconds. A time beyond the year 2262 becomes the
// greatest one, which package journey reports as out of range.
func (d *decoder) micros() int64 {
	whole, fraction, decimals := strings.Cut(string(d.number()), ".")
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

func (d *decoder) stringList() []string {
	var list []string
	d.array(func() { list = append(list, d.string()) })
	return list
}
