package otelamqp_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every block of Go in README.md stands word for word in a test file, so that it
// compiles and runs.
func TestPagesShowCodeThatRuns(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	check(t, err)
	var code strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		check(t, err)
		code.Write(b)
	}
	block := regexp.MustCompile("(?ms)^```go\n(.*?)^```$")
	for _, page := range []string{"README.md"} {
		b, err := os.ReadFile(page)
		check(t, err)
		blocks := block.FindAllStringSubmatch(string(b), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no block of Go", page)
		}
		for _, m := range blocks {
			if !strings.Contains(code.String(), m[1]) {
				t.Errorf("%s shows code that no test has:\n%s", page, m[1])
			}
		}
	}
}
