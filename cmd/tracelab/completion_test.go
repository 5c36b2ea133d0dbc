package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tracelab/internal/testkit"
)

// inShell runs a script by a shell that has the program on its path and its completion read, in a folder with the files that the cases name.
// A shell that is not there is skipped.
func inShell(t *testing.T, shell, script string) []string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("no %s here", shell)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tracelab":   fmt.Sprintf("#!/bin/sh\nexport %s=1\nexec '%s' \"$@\"\n", asProgram, program),
		"work/a.txt": "", "work/b c.txt": "", "work/folder/in": "",
		"read": output(t, "completion", shell),
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	flags := map[string][]string{"bash": {"--norc"}, "zsh": {"-f"}, "fish": {"--no-config"}}
	command := exec.CommandContext(t.Context(), path, append(flags[shell], "-c", script)...)
	command.Dir = filepath.Join(dir, "work")
	command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir, "READ="+filepath.Join(dir, "read"), "TERM=dumb")
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	slices.Sort(lines)
	return slices.Compact(lines)
}

// TestBashCompletes calls the function as readline does: with the words that bash makes of a line.
func TestBashCompletes(t *testing.T) {
	testkit.Unraced(t, "TestComplete")
	for line, want := range map[string][]string{
		"tracelab comp":                      {"compare", "completion"},
		"tracelab flow sh":                   {"show"},
		"tracelab run --pol":                 {"--polls"},
		"tracelab compare --format j":        {"json", "junit"},
		"tracelab compare --format = ju":     {"junit"},
		"tracelab compare --format =":        {"html", "json", "junit", "markdown", "text"},
		"tracelab run --fault payment : del": {"delay="},
		"tracelab compare a":                 {"a.txt"},
		"tracelab compare b":                 {"b c.txt"},
		"tracelab compare --save = f":        {"folder"},
		"tracelab run --out ":                {"folder"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			words := strings.Split(line, " ")
			script := fmt.Sprintf(`source "$READ"; COMP_WORDS=('%s'); COMP_CWORD=%d; _tracelab; printf '%%s\n' "${COMPREPLY[@]}"`, strings.Join(words, "' '"), len(words)-1)
			if got := inShell(t, "bash", script); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestZshCompletes lets the function add its words, as zsh's own helpers would show them, and say which of them complete names.
func TestZshCompletes(t *testing.T) {
	testkit.Unraced(t, "TestComplete")
	const helpers = `
_describe() { local -a shown; shown=("${(@P)4}"); print -rl -- "${shown[@]}" }
_files() { print -r -- "files $* of $PREFIX" }
compset() { PREFIX=${PREFIX#*=} }
compdef() { : }
source "$READ"
`
	for line, want := range map[string][]string{
		"tracelab comp":               {"compare:", "completion:"},
		"tracelab run --pol":          {"--polls:"},
		"tracelab compare --format=j": {"--format=json:", "--format=junit:"},
		"tracelab run --fault pay":    {`payment\::a fault of payment`},
		"tracelab compare a":          {"files  of a"},
		"tracelab compare --save=a":   {"files  of a"},
		"tracelab run --out ":         {"files -/ of "},
		"tracelab run --flow ri":      {"files  of ri", "ride:"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			words := strings.Split(line, " ")
			script := fmt.Sprintf("%swords=('%s'); CURRENT=%d; PREFIX='%s'; _tracelab", helpers, strings.Join(words, "' '"), len(words), words[len(words)-1])
			got := inShell(t, "zsh", script)
			if len(got) != len(want) {
				t.Fatalf("%q, want %q", got, want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("%q, want one that begins with %q", got[i], want[i])
				}
			}
		})
	}
}

// TestFishCompletes asks fish what it would show.
func TestFishCompletes(t *testing.T) {
	testkit.Unraced(t, "TestComplete")
	for line, want := range map[string][]string{
		"tracelab comp":               {"compare\t", "completion\t"},
		"tracelab run --pol":          {"--polls\t"},
		"tracelab compare --format=j": {"--format=json", "--format=junit"},
		"tracelab run --fault pay":    {"payment:\t"},
		"tracelab compare a":          {"a.txt"},
		"tracelab compare --save=a":   {"--save=a.txt"},
		"tracelab run --out ":         {"folder/"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			got := inShell(t, "fish", fmt.Sprintf(`source "$READ"; complete -C '%s'`, line))
			if len(got) != len(want) {
				t.Fatalf("%q, want %q", got, want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("%q, want one that begins with %q", got[i], want[i])
				}
			}
		})
	}
}
