package lab

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinesThatFit(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"a narrow one":  {"Kafka embedded", "Kafka embedded\n"},
		"a sentence":    {"Warning: the generator started orders late, so these are partly its own", "Warning: the generator started orders\n  late, so these are partly its own\n"},
		"a last column": {"  tail   what comes after the answer, and who waits", "  tail   what comes after the answer,\n         and who waits\n"},
		"behind a command": {"  tracelab journey runs/20261127-1 --form kafka   one order, span by span", "  tracelab journey runs/20261127-1 --form kafka\n" +
			"      one order, span by span\n"},
		"colors":    {"\x1b[31m█████\x1b[0m \x1b[32m░░░░░\x1b[0m \x1b[33m┄┄┄┄┄\x1b[0m 12.3 ms", "\x1b[31m█████\x1b[0m \x1b[32m░░░░░\x1b[0m \x1b[33m┄┄┄┄┄\x1b[0m 12.3 ms\n"},
		"no blanks": {strings.Repeat("x", 50), strings.Repeat("x", 50) + "\n"},
	} {
		if diff := cmp.Diff(c.want, fit(c.line+"\n", 40)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
