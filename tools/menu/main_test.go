package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// taskfile is Taskfile.yml as go-task reads it.
type taskfile struct {
	Tasks map[string]struct {
		Desc, Summary string
		Preconditions []struct{ Sh, Msg string }
		Cmds          []any
	}
}

// TestEveryTaskIsExplained holds that each task is in the menu, in a group, with what it does, and says more in its summary and what is missing when it cannot run.
func TestEveryTaskIsExplained(t *testing.T) {
	file := filepath.Join("..", "..", "Taskfile.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tasks taskfile
	if err := yaml.Unmarshal(text, &tasks); err != nil {
		t.Fatal(err)
	}
	var titles []string
	does := map[string]string{}
	for _, g := range parse(string(text)) {
		title, _, _ := strings.Cut(g.title, ":")
		titles = append(titles, title)
		if len(g.tasks) == 0 {
			t.Errorf("the group %s is empty", title)
		}
		for _, task := range g.tasks {
			does[task.name] = task.does
		}
	}
	if want := []string{"Try", "Look", "Break", "Learn", "Real stack", "Develop"}; !slices.Equal(titles, want) {
		t.Errorf("groups %q, want %q", titles, want)
	}
	if len(tasks.Tasks) < 30 || len(does) != len(tasks.Tasks)-1 { // default is the menu
		t.Errorf("%d tasks, %d of them in the menu", len(tasks.Tasks), len(does))
	}
	for name, task := range tasks.Tasks {
		if name != "default" && does[name] != task.Desc {
			t.Errorf("%s: the menu says %q, its desc is %q", name, does[name], task.Desc)
		}
		if n := utf8.RuneCountInString(task.Desc); n == 0 || n > 56 || strings.HasSuffix(task.Desc, ".") {
			t.Errorf("%s: the desc %q has %d characters, want 1 to 56 and no full stop", name, task.Desc, n)
		}
		if strings.TrimSpace(task.Summary) == "" || strings.TrimSpace(task.Summary) == task.Desc {
			t.Errorf("%s: no summary that says more than its desc", name)
		}
		for line := range strings.Lines(task.Summary) {
			if utf8.RuneCountInString(line) > 81 {
				t.Errorf("%s: a line of the summary is wider than 80 columns: %s", name, line)
			}
		}
		if len(task.Preconditions) == 0 || len(task.Cmds) == 0 {
			t.Errorf("%s: %d preconditions and %d commands", name, len(task.Preconditions), len(task.Cmds))
		}
		for _, p := range task.Preconditions {
			if p.Sh == "" || !strings.Contains(p.Msg, "install") && !strings.Contains(p.Msg, "task ") && !strings.Contains(p.Msg, "Install") && !strings.Contains(p.Msg, "commit") {
				t.Errorf("%s: the precondition %q says %q: what is missing, and what to do?", name, p.Sh, p.Msg)
			}
		}
	}
}

func TestMenu(t *testing.T) {
	var out bytes.Buffer
	if err := run(filepath.Join("..", "..", "Taskfile.yml"), &out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if utf8.RuneCountInString(line) > 81 {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	for _, want := range []string{"Try: place orders", "  task run              Place the same orders", "Break: one thing at a time"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	empty := filepath.Join(t.TempDir(), "Taskfile.yml")
	if err := os.WriteFile(empty, []byte("tasks:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(empty, &out); err == nil {
		t.Error("a file without groups")
	}
}
