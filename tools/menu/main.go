// Command menu prints the tasks of Taskfile.yml in groups, for `task` alone: a comment "# Group: what it is for" begins one.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

func main() {
	if err := run("Taskfile.yml", os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "menu:", err) // there is no other place for the error
		os.Exit(1)
	}
}

// group is a part of the menu.
type group struct {
	title string
	tasks []task
}

// task is a line of the menu.
type task struct{ name, does string }

func run(file string, out io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	groups := parse(string(text))
	if len(groups) == 0 {
		return errors.New(file + " has no groups of tasks")
	}
	_, err = io.WriteString(out, menu(groups))
	return err
}

// The lines of the file that the menu is made of. What else is in it is go-task's.
var (
	groupLine = regexp.MustCompile(`^  # ([A-Z][^:]*: .*)$`)
	taskLine  = regexp.MustCompile(`^  ([a-z][a-z:]*):$`)
	descLine  = regexp.MustCompile(`^    desc: (.*)$`)
)

// parse finds the groups. Tasks before the first one are in none.
func parse(text string) []group {
	var groups []group
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := groupLine.FindStringSubmatch(line); m != nil {
			groups = append(groups, group{title: m[1]})
		}
		if m := taskLine.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if m := descLine.FindStringSubmatch(line); m != nil && len(groups) > 0 {
			last := &groups[len(groups)-1]
			last.tasks = append(last.tasks, task{name, m[1]})
		}
	}
	return groups
}

// menu writes the groups.
func menu(groups []group) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "%s\n", g.title)
		for _, t := range g.tasks {
			fmt.Fprintf(&b, "  task %-16s %s\n", t.name, t.does)
		}
		b.WriteString("\n")
	}
	b.WriteString("`task --summary NAME` says more of one.\nWhat stands behind -- goes to its command: task run -- --orders 100\n")
	return b.String()
}
