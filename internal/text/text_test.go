package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"": "", "tea": "tea", "Zoë": "Zoë", "\xff\xfe": "�", "a\xffb\xfec": "a�b�c", "\xc3": "�"} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestCutKeepsWholeCharacters: whatever the text and the limit.
func TestCutKeepsWholeCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("aé€𝄞�"))).Draw(t, "text")
		most := rapid.IntRange(0, 40).Draw(t, "most")
		got := Cut(s, most)
		start, cut := strings.CutSuffix(got, "…")
		switch {
		case !utf8.ValidString(got):
			t.Fatalf("Cut(%q, %d) = %q is not UTF-8", s, most, got)
		case len(s) <= most && got != s:
			t.Fatalf("Cut(%q, %d) = %q, want it whole", s, most, got)
		case len(s) > most && (!cut || len(start) > most || most-len(start) > 3 || !strings.HasPrefix(s, start)):
			t.Fatalf("Cut(%q, %d) = %q, want as many whole characters as fit, and …", s, most, got)
		}
	})
}
