package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTasksAreCommandLines lets the parser read the command of each task that calls the program.
func TestTasksAreCommandLines(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Taskfile.yml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range regexp.MustCompile(`go run \./cmd/tracelab ([^\n"]*)`).FindAllStringSubmatch(string(text), -1) {
		line, _, _ := strings.Cut(m[1], " >")
		line = strings.ReplaceAll(line, `{{.CLI_ARGS | default \`, "list")
		args := strings.Fields(strings.ReplaceAll(strings.TrimSuffix(line, "]"), "{{.CLI_ARGS}}", ""))
		s := &streams{}
		var cli commands
		parser, err := s.parser(&cli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("%s: %v", m[0], err)
		}
		if len(args) > 0 && args[0] == "run" {
			if _, err := cli.Run.config(s); err != nil {
				t.Errorf("%s: %v", m[0], err)
			}
		}
		n++
	}
	if n < 10 {
		t.Errorf("only %d commands were found", n)
	}
}
