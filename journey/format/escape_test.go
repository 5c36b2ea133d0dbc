package format_test

import (
	"testing"

	"tracelab/journey/format"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"plain, äöü 漢字 'quoted'":   "plain, äöü 漢字 'quoted'",
		"a\x1b[2Jb\nc":             `a\x1b[2Jb\nc`,
		"turned \u202e round":      `turned \u202e round`,
		"no UTF-8 \xff\xfe":        `no UTF-8 \xff\xfe`,
		"the real one \ufffd":      "the real one \ufffd",
		"beyond \U000e0001":        `beyond \U000e0001`,
		"next line \u0085 of C1":   `next line \u0085 of C1`,
		"a lone half \xc3( is bad": `a lone half \xc3( is bad`,
	} {
		if got := format.Escape(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
