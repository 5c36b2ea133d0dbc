package page

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"tracelab/journey/format"
)

// Limits of what a page shows of one text of a trace, in bytes.
const (
	nameLimit  = 120
	valueLimit = 2000
)

// clip makes a text of a trace fit for a page: its first bytes, with what is not printable escaped, and how much is left out.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return format.Escape(text)
	}
	at := limit
	for at > 0 && !utf8.RuneStart(text[at]) && limit-at < utf8.UTFMax {
		at--
	}
	return fmt.Sprintf("%s… (and %d more bytes)", format.Escape(text[:at]), len(text)-at)
}

// hexOf returns the bytes of a header's value in hexadecimal where some are not printable, and "" where a person can read all of them. Spans keep
// a value that is not UTF-8 as Go escapes it.
func hexOf(value string) string {
	if raw, err := strconv.Unquote(`"` + value + `"`); err == nil && !utf8.ValidString(raw) {
		value = raw
	}
	for _, r := range value {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return spaced(value)
		}
	}
	return ""
}

// maxHexBytes bounds the bytes that are shown in hexadecimal.
const maxHexBytes = 256

func spaced(value string) string {
	n := min(len(value), maxHexBytes)
	list := make([]byte, 0, 3*n)
	for i := range n {
		if i > 0 {
			list = append(list, ' ')
		}
		list = hex.AppendEncode(list, []byte{value[i]})
	}
	if n < len(value) {
		return fmt.Sprintf("%s … and %d more bytes", list, len(value)-n)
	}
	return string(list)
}
