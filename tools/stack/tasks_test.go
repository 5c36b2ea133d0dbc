//go:build linux || darwin

package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"tracelab/internal/parts"
)

// shells are what runs the commands of a task: every sh, and go-task where it is installed.
func shells() map[string]func(ctx context.Context, task, commands string) *exec.Cmd {
	all := map[string]func(context.Context, string, string) *exec.Cmd{
		"sh": func(ctx context.Context, _, commands string) *exec.Cmd {
			return exec.CommandContext(ctx, "sh", "-c", commands)
		},
	}
	if path, err := exec.LookPath("task"); err == nil {
		all["task"] = func(ctx context.Context, task, _ string) *exec.Cmd { return exec.CommandContext(ctx, path, task) }
	}
	return all
}

// commandsOf returns the commands of a task, one after the other, without arguments.
func commandsOf(t *testing.T, task string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "Taskfile.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tasks map[string]struct{ Cmds []any }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, command := range file.Tasks[task].Cmds {
		if text, ok := command.(string); ok { // the others call tasks
			commands = append(commands, text)
		}
	}
	if len(commands) == 0 {
		t.Fatalf("Taskfile.yml has no commands for %s", task)
	}
	return strings.ReplaceAll(strings.Join(commands, "\n"), "{{.CLI_ARGS}}", "")
}

// TestTasksWithoutAStackFail runs them with an empty folder of state: they have nothing to measure and nobody to ask.
func TestTasksWithoutAStackFail(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range []string{"stack:run", "stack:doctor"} {
		commands := commandsOf(t, task)
		for name, shell := range shells() {
			t.Run(task+" in "+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // to build
				defer cancel()
				command := shell(ctx, task, commands)
				command.Dir = root
				empty := t.TempDir()
				command.Env = append(os.Environ(), stateVariable+"="+empty)
				var stdout, stderr strings.Builder
				command.Stdout, command.Stderr = &stdout, &stderr
				if err := command.Run(); err == nil {
					t.Errorf("it succeeds, and prints %.500s", stdout.String())
				}
				if want := "no stack runs in " + empty; !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
					t.Errorf("it says %q and prints %.500q, want only %q said", stderr.String(), stdout.String(), want)
				}
			})
		}
	}
}

// lost matches a command whose argument is the output of another, whose failure nobody sees: cmd $(other). An assignment at the beginning of a line
// is well, and a test in [[ ]] is one that fails anyway.
var lost = regexp.MustCompile(`^\s*(local\s+\w+=|export\s|for\s.*\sin\s|readonly\s|declare\s|[\w./-]+\s+[^=|&]*)"?\$\(`)

// TestNoScriptLosesAFailure looks for such commands in everything that a shell runs here.
func TestNoScriptLosesAFailure(t *testing.T) {
	for text, wrong := range map[string]bool{
		"env $(other) cmd": true, "export $(other) && cmd": true, "  local x=$(other)": true, "for x in $(other); do": true, "echo \"$(other)\"": true,
		"x=$(other)": false, "  x=$(other) || exit 1": false, "x=$(printf '%s' \"$(other)\")": false, "echo $x": false,
	} {
		if lost.MatchString(text) != wrong {
			t.Errorf("%q: found %v", text, !wrong)
		}
	}
	for _, file := range []string{"Taskfile.yml", ".ci/run", "compose.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			code, _, _ := strings.Cut(line, " #")
			if lost.MatchString(code) && !strings.HasPrefix(strings.TrimSpace(line), "#") {
				t.Errorf("%s:%d: a failure inside of $( ) is lost: assign first, then use: %s", file, n, strings.TrimSpace(line))
			}
		}
	}
}

// TestAnEndedStackHasNoAddresses: env of a stack that was killed would lead to whoever listens there now.
func TestAnEndedStackHasNoAddresses(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	_, port, err := net.SplitHostPort(other.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	if err := os.WriteFile(filepath.Join(state, "stack.json"), []byte(`{"parts":[{"name":"gateway","pid":1}],"addresses":{"TRACELAB_TARGET":"http://127.0.0.1:`+port+`"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"env", "-state", state}, &stdout, &stderr); code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "no stack runs in "+state) {
		t.Errorf("exit status %d, %q, %q", code, stdout.String(), stderr.String())
	}
}
