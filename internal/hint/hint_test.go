package hint_test

import (
	"os/exec"
	"testing"

	"tracelab/internal/hint"
)

// TestQuote asks a shell.
func TestQuote(t *testing.T) {
	for _, word := range []string{"plain", "runs/latest", "two words", "it's", `a"b$c\d`, "", "*", "ünï", "-x=1", "a\nb"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", hint.Command("printf", "%s", word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q comes as %q, %v", word, out, err)
		}
	}
}

func TestProgram(t *testing.T) {
	for called, want := range map[string]string{
		"tracelab": "tracelab", "./tracelab": "./tracelab", "/opt/my tools/tracelab": "'/opt/my tools/tracelab'",
		"/tmp/go-build123/b001/exe/tracelab": "go run ./cmd/tracelab",
	} {
		if got := hint.Program(called); got != want {
			t.Errorf("%s is called %s, want %s", called, got, want)
		}
	}
}
