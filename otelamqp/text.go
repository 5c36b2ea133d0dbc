package otelamqp

import (
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
)

// maxText is how many bytes of a name, id or error text go into a span or
// a metric. A routing key has at most 255.
const maxText = 1024

// text returns s as telemetry can carry it: valid UTF-8 of at most maxText
// bytes, cut between characters. One invalid string makes an exporter refuse
// its whole batch of spans.
func text(s string) string { return cutText(s, maxText) }

// cutText is text with a limit in bytes. Bytes that are not UTF-8 become U+FFFD.
func cutText(s string, limit int) string {
	if len(s) <= limit && utf8.ValidString(s) {
		return s
	}
	// A character cut here ends beyond the limit, so it is cut off below.
	s = strings.ToValidUTF8(s[:min(len(s), limit+utf8.UTFMax)], string(utf8.RuneError))
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// cleanAttributes returns attrs with keys and strings that telemetry can carry.
// It leaves attrs itself alone, and skips attributes without a key or a value.
func cleanAttributes(to, attrs []attribute.KeyValue) []attribute.KeyValue {
	for _, a := range attrs {
		if !a.Valid() {
			continue
		}
		a.Key = attribute.Key(text(string(a.Key)))
		switch a.Value.Type() {
		case attribute.STRING:
			a.Value = attribute.StringValue(text(a.Value.AsString()))
		case attribute.STRINGSLICE:
			values := a.Value.AsStringSlice() // a copy
			for i := range values {
				values[i] = text(values[i])
			}
			a.Value = attribute.StringSliceValue(values)
		}
		to = append(to, a)
	}
	return to
}
