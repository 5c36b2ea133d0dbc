package lab

import (
	"strings"
	"testing"

	"tracelab/journey/format"
)

func TestFormsHaveTheirColors(t *testing.T) {
	const text = "         rest   kafka\n  wait   1 ms   2 ms of kafka\n  kafka  less\nrest, order 3\nresting\n\n"
	if got := inColors(text, format.Style{}); got != text {
		t.Errorf("without colors it is %q", got)
	}
	got := inColors(text, format.Style{Color: true})
	want := "         \x1b[1;38;5;178mrest\x1b[0m   \x1b[1;38;5;166mkafka\x1b[0m\n  wait   1 ms   2 ms of kafka\n  \x1b[1;38;5;166mkafka\x1b[0m  less\n\x1b[1;38;5;178mrest\x1b[0m, order 3\nresting\n\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if plain := strings.NewReplacer("\x1b[1;38;5;178m", "", "\x1b[1;38;5;166m", "", "\x1b[0m", "").Replace(got); plain != text {
		t.Errorf("the text itself has changed: %q", plain)
	}
}
