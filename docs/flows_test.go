package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheFlowOfThePageIsOne: the program reads the page's flow by the program, and its tables have every field.
func TestTheFlowOfThePageIsOne(t *testing.T) {
	page, err := os.ReadFile("flows.md")
	if err != nil {
		t.Fatal(err)
	}
	_, yaml, _ := strings.Cut(string(page), "```yaml\n")
	yaml, _, _ = strings.Cut(yaml, "```")
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(programs, "tracelab"), "flow", "check", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "flow shop: 6 steps of 5 services, forms grpc, kafka, careful") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, field := range []string{"after", "message", "wait", "cpu", "spread", "quantiles", "when", "share", "retry", "timeout", "budget", "breaker", "bulkhead", "workers", "queue", "payload", "undo", "each", "answer", "plan", "arrange", "view"} {
		if !strings.Contains(string(page), "`"+field) {
			t.Errorf("the page does not say what %s is", field)
		}
	}
}
