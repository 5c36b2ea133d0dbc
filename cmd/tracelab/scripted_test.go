package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestEveryFlagOfTheJudgeIsInAScript holds that each flag of the commands that judge traces is used by a script of that command,
// which sees what it changes. The flags that say how inputs are read are the same in all of them: any test is enough.
func TestEveryFlagOfTheJudgeIsInAScript(t *testing.T) {
	scripts, tests := joinedFiles(t, "testdata/script/*.txtar"), joinedFiles(t, "*_test.go")
	reading, err := kong.New(&inputFlags{}, kong.Vars{"jaeger": "x"})
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]bool{}
	for _, flag := range reading.Model.Flags {
		shared[flag.Name] = true
	}
	parser, err := (&streams{}).parser(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, command := range parser.Model.Children {
		if command.Name != "compare" && command.Name != "journey" && command.Name != "lint" {
			continue
		}
		for _, flag := range command.Flags {
			n++
			used := regexp.MustCompile(`(?m)^(tracelab|exits|feed|with) .*\b` + command.Name + ` .*--` + flag.Name + `\b`)
			if shared[flag.Name] {
				used = regexp.MustCompile(`--` + flag.Name + `\b`)
			}
			if flag.Name != "help" && !used.MatchString(scripts) && (!shared[flag.Name] || !used.MatchString(tests)) {
				t.Errorf("no script uses %s --%s", command.Name, flag.Name)
			}
		}
	}
	if n == 0 {
		t.Error("no flags")
	}
}

// joinedFiles joins the files of a pattern.
func joinedFiles(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
