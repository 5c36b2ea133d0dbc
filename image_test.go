package tracelab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheImageHasAllThatTheProgramNeeds compares what the program imports of this repository with what .dockerignore lets into the build.
func TestTheImageHasAllThatTheProgramNeeds(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	var let []string
	for line := range strings.Lines(string(text)) {
		if folder, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			let = append(let, folder)
		}
	}
	folders, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.Dir}}", "./cmd/tracelab").Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for dir := range strings.Lines(string(folders)) {
		folder, err := filepath.Rel(here, strings.TrimSpace(dir))
		if err != nil || strings.HasPrefix(folder, "..") {
			continue
		}
		ours++
		if !within(filepath.ToSlash(folder), let) {
			t.Errorf(".dockerignore keeps %s out of the image's build: the program imports it", folder)
		}
	}
	if ours == 0 {
		t.Error("the program imports nothing of this repository")
	}
}

func within(folder string, parents []string) bool {
	for _, parent := range parents {
		if strings.HasPrefix(folder+"/", parent+"/") {
			return true
		}
	}
	return false
}
