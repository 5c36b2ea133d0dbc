package journey_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every line of Go in the README stands in an example that is compiled, so that it cannot fall behind. Where a command would
// read its arguments or exit, the example has a function in its place.
func TestREADMEIsCompiled(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]bool{}
	files, err := filepath.Glob("*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			examples[strings.TrimSpace(line)] = true
		}
	}
	inPlaceOf := strings.NewReplacer("os.Args[", "args[", "os.Exit(1)", "passed = false")
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("no Go in the README")
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		for line := range strings.Lines(code) {
			if line = strings.TrimSpace(line); line != "" && !examples[inPlaceOf.Replace(line)] {
				t.Errorf("README.md has a line that is in no example: %s", line)
			}
		}
	}
}
