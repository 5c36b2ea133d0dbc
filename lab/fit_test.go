package lab_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
)

// TestTheReportFitsATerminal: no line is wider than the terminal, and each form has its figures in a block.
func TestTheReportFitsATerminal(t *testing.T) {
	t.Parallel() // in virtual time
	virtually(t, func(c *lab.Config) {
		c.Forms = []services.Form{"rest", "grpc", "kafka", "hybrid"}
		c.Faults = faults("payment:delay=200ms@0.5")
	}, func(t *testing.T, result *lab.Result) {
		for _, width := range []int{72, 80, 100, 140} {
			var text strings.Builder
			if err := result.WriteText(&text, format.Style{Width: width, Fit: true}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(text.String()) {
				line = strings.TrimRight(line, "\n")
				if n := utf8.RuneCountInString(line); n > width && !strings.Contains(line, result.Dir) { // a path and a command stay whole
					t.Errorf("%d columns of %d: %s", n, width, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("blanks at the end of %q", line)
				}
			}
			rows := strings.Count(text.String(), "\n  completion  ") // and a line that says what the word means
			if want := map[bool]int{true: 2, false: 3}[width >= 100]; rows != want {
				t.Errorf("%d columns: the row of the completion is there %d times:\n%s", width, rows, text.String())
			}
		}
	})
}
