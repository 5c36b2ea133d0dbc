package tracelab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCIRunsWhatFailsOnceMore takes the functions out of .ci/run and lets them test a module: a package that fails once is named as flaky, and one that
// fails twice fails.
func TestCIRunsWhatFailsOnceMore(t *testing.T) {
	bash := bashOfCI(t)
	functions := partOfCI(t, "\nfailures() {", "\n# Fuzz targets run")
	const flaky = `package a
import ("os"; "testing")
func TestOnce(t *testing.T) { t.Run("part", func(t *testing.T) {
	if _, err := os.Stat("marker"); err != nil { os.WriteFile("marker", nil, 0o600); t.Error("the first time") } }) }
`
	always := strings.ReplaceAll(flaky, `"marker"`, `"/nowhere/marker"`)
	for _, c := range []struct {
		name, file string
		ok         bool
		says       string
	}{
		{"flaky", flaky, true, "flaky: work.example/a TestOnce work.example/a TestOnce/part\n"},
		{"broken", always, false, "once more: work.example/a\n"},
		{"does not build", "package a\nvar x int = \"\"\n", false, "[build failed]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			for file, text := range map[string]string{"go.mod": "module work.example\n", "a/a_test.go": c.file, "b/b_test.go": "package b\n"} {
				to := filepath.Join(folder, file)
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.CommandContext(t.Context(), bash, "-c", "set -euo pipefail; shopt -s inherit_errexit\nfailures() {"+functions+"\ntested -count=1 -- ./...\necho \"flaky: ${flaky[*]}\"\n")
			command.Dir = folder
			command.Env = append(os.Environ(), "GOWORK=off")
			out, err := command.CombinedOutput()
			if (err == nil) != c.ok || !strings.Contains(string(out), c.says) {
				t.Errorf("%v, want %q:\n%s", err, c.says, out)
			}
		})
	}
}

// bashOfCI returns the shell of .ci/run. Where there is none the test is skipped: .ci/run does not run there, either.
func bashOfCI(t *testing.T) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash: .ci/run does not run here, either")
	}
	return bash
}

// partOfCI returns what stands in .ci/run behind one text and before the next one.
func partOfCI(t *testing.T, behind, before string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(text), behind)
	part, _, also := strings.Cut(part, before)
	if !ok || !also {
		t.Fatalf(".ci/run has no %q and %q any more", behind, before)
	}
	return part
}
