package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestGateWorkflowRuns runs the commands of the workflow as the runner does, first as the main branch does and then as a pull
// request does. On a busy machine the same thing may look slower, so the comparison may exit with 1, but it must be made.
func TestGateWorkflowRuns(t *testing.T) {
	together(t)
	text, err := os.ReadFile("gate-workflow.yml")
	if err != nil {
		t.Fatal(err)
	}
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct{ Name, Uses, Run, If string }
		}
	}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, branch := range []string{"main", "pull request"} {
		for _, step := range workflow.Jobs["gate"].Steps {
			if step.Run == "" || step.Name == "Comment" || branch != "main" && strings.Contains(step.If, "refs/heads/main") {
				continue
			}
			cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", strings.Replace(step.Run, "--orders 100", "--orders 8", 1))
			cmd.Dir, cmd.Env = dir, environment(t)
			if out, err := cmd.CombinedOutput(); err != nil && !strings.HasPrefix(step.Name, "Compare") {
				t.Fatalf("%s, %s: %v\n%s", branch, step.Name, err, out)
			}
		}
	}
	gate, err := os.ReadFile(filepath.Join(dir, "gate.md"))
	if err != nil || !strings.Contains(string(gate), "**Gate ") || !strings.Contains(string(gate), "8 pairs") {
		t.Errorf("no gate in the comment: %v\n%s", err, gate)
	}
}
