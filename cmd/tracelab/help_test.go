package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestExamplesAreCommandLines lets the parser read each example, and holds that every command has some.
func TestExamplesAreCommandLines(t *testing.T) {
	all := examples()
	paths := []string{"tracelab"}
	for _, command := range leaves(t) {
		paths = append(paths, pathOf(command))
	}
	for _, path := range paths {
		if n := len(all[path]); n == 0 || n > 3 {
			t.Errorf("%s has %d examples, want 1 to 3", path, n)
		}
	}
	for path, list := range all {
		if !slices.Contains(paths, path) {
			t.Errorf("examples of %s, which is no command", path)
		}
		for line := range strings.Lines(exampleText(list)) {
			if utf8.RuneCountInString(line) > 78 { // and an indent of four where the tab is
				t.Errorf("wider than 80 columns: %s", line)
			}
		}
		for _, e := range list {
			args, err := commandLine(e.line)
			if err != nil {
				t.Errorf("%s: %v", e.line, err)
				continue
			}
			if path != "tracelab" && !strings.HasPrefix(strings.Join(args, " ")+" ", path+" ") {
				t.Errorf("%s is no example of %s", e.line, path)
			}
			s := &streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}
			var cli commands
			parser, err := s.parser(&cli)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.Parse(args); err != nil {
				t.Errorf("%s: %v", e.line, err)
			}
			if len(cli.Run.Fault)+len(cli.Run.Forms) > 0 { // what it means is read when it runs
				if _, err := cli.Run.config(s); err != nil {
					t.Errorf("%s: %v", e.line, err)
				}
			}
		}
	}
}

// commandLine takes a line of a shell apart: the program's arguments, without quotes and without where its output goes.
func commandLine(line string) ([]string, error) {
	if inner, ok := strings.CutPrefix(line, "source <("); ok {
		line = strings.TrimSuffix(inner, ")")
	}
	var args []string
	for rest := line; rest != ""; {
		var word string
		if quoted, ok := strings.CutPrefix(rest, "'"); ok {
			word, rest, ok = strings.Cut(quoted, "'")
			if !ok {
				return nil, fmt.Errorf("a quote without its end in %q", line)
			}
			rest = strings.TrimPrefix(rest, " ")
		} else {
			word, rest, _ = strings.Cut(rest, " ")
		}
		if strings.HasPrefix(word, ">") {
			break
		}
		if strings.ContainsAny(word, "|&;$`'\"*") {
			return nil, fmt.Errorf("%q needs a shell", word)
		}
		args = append(args, word)
	}
	if len(args) == 0 || args[0] != "tracelab" {
		return nil, fmt.Errorf("%q does not begin with tracelab", line)
	}
	return args[1:], nil
}

// TestHelpIsThatOfTheFlag compares what `help COMMAND` prints with what COMMAND --help does.
func TestHelpIsThatOfTheFlag(t *testing.T) {
	for _, command := range []string{"", "run", "flow from", "serve", "help", "completion"} {
		args := strings.Fields(command)
		want, got := output(t, append(args, "--help")...), output(t, append([]string{"help"}, args...)...)
		if got != want || !strings.Contains(got, "Examples:") {
			t.Errorf("help %s:\n%s\nwant\n%s", command, got, want)
		}
	}
}
