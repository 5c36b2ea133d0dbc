// Package text makes strings from outside safe to pass on: in a span's name, attributes and status, in a header, in a log. Protobuf refuses a
// whole batch of spans for one byte that is not UTF-8.
package text

import (
	"strings"
	"unicode/utf8"
)

// Clean replaces each run of bytes that are not UTF-8 by one U+FFFD. It returns valid strings as they are.
func Clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}

// Cut returns at most the first most bytes of s, whole characters only, followed by "…" if something is missing.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
