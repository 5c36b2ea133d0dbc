package format_test

import (
	"strings"
	"testing"

	"tracelab/journey/format"
)

func TestWrap(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"short":                     "short",
		"one two three four":        "one two|three four",
		"a_word_that_is_longer b c": "a_word_that_is_longer|b c",
		"  two more":                "  two more",
		"漢字漢字 漢字漢字 漢字":              "漢字漢字 漢字漢字|漢字",
	} {
		if got := strings.Join(format.Wrap(in, 10), "|"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestParagraph(t *testing.T) {
	for _, c := range []struct{ indent, hanging, want string }{
		{"", "  ", "one two\n  three\n"},
		{"    ", "  ", "    one\n  two\n  three\n"},
		{"  ", "  ", "  one two\n  three\n"},
	} {
		if got := (format.Style{Width: 10}).Paragraph(c.indent, c.hanging, "one two three"); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.indent, c.hanging, got, c.want)
		}
	}
}
