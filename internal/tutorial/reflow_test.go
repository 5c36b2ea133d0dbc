package tutorial_test

import (
	"testing"

	"tracelab/internal/tutorial"
)

func TestReflow(t *testing.T) {
	text := "# A title that is longer than the terminal\n\nA line of prose\nand another one.\n- an item of\n  a list\n\n| a table | that is as wide as it is |"
	want := "# A title that is longer than the terminal\n\nA line of prose and\nanother one.\n- an item of a list\n\n| a table | that is as wide as it is |"
	if got := tutorial.Reflow(text, 20); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
