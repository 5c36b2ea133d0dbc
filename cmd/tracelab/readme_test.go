package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"tracelab/internal/testkit"
)

// The README's console blocks are run, and every line that they show must come, in that order. Durations, verdicts and
// pictures differ from run to run, so of each line only the words before its first figure count; a line "…" stands for
// any number of lines. There is no way to opt out, and no block at all is a failure.
func TestReadmeShowsWhatTheCommandsPrint(t *testing.T) {
	testkit.Unraced(t, "TestRunJSON")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) == 0 {
		t.Fatal("no console block in README.md")
	}
	for _, block := range blocks {
		command, shown, _ := strings.Cut(block[1], "\n")
		arguments, ok := strings.CutPrefix(command, "$ go run ./cmd/tracelab ")
		if !ok {
			t.Fatalf("a console block begins with %q: begin with a tracelab command", command)
		}
		t.Run(arguments, func(t *testing.T) {
			var out, talk bytes.Buffer
			args := append(strings.Fields(arguments), "--out", t.TempDir())
			if status := run(t.Context(), args, nil, &out, &talk); status != exitDone {
				t.Fatalf("exit status %d: %s", status, talk.String())
			}
			printed := strings.Split(out.String(), "\n")
			for line := range strings.Lines(shown) {
				want := words(line)
				if want == "" {
					continue
				}
				for len(printed) > 0 && words(printed[0]) != want {
					printed = printed[1:]
				}
				if len(printed) == 0 {
					t.Fatalf("the command does not print, at its place: %q", strings.TrimSpace(line))
				}
				printed = printed[1:]
			}
		})
	}
}

var figure = regexp.MustCompile(`[0-9~–…█░▪-].*`)

// words are a line's words before its first figure; "" for a line of a picture, whose rows depend on the run.
func words(line string) string {
	if strings.ContainsAny(line, "█░▪") {
		return ""
	}
	return strings.Join(strings.Fields(figure.ReplaceAllString(line, "")), " ")
}
