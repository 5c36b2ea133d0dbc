// Package docs_test runs the pages of this folder: every command that they show, in a fresh folder, with an installed program.
package docs_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tracelab/internal/testmain"
	"tracelab/internal/tutorial"
)

var update = flag.Bool("update", false, "write what the commands print into the pages")

var (
	programs string // a folder with the built program
	alone    bool   // shells have a network of their own
)

func TestMain(m *testing.M) {
	if err := tutorial.BecomeShell(); err != nil {
		panic(err)
	}
	flag.Parse()
	testmain.Exit(withProgram(m))
}

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tracelab-docs")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	programs, alone = dir, canBeAlone(context.Background(), dir)
	build := exec.Command("go", "build", "-o", dir, "../cmd/tracelab")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

func pages(t *testing.T) map[string]tutorial.Page {
	t.Helper()
	files, err := filepath.Glob("*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	all := map[string]tutorial.Page{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if numbered := file[0] >= '0' && file[0] <= '9'; !numbered && !bytes.Contains(text, []byte("\n```console\n")) {
			continue // reference, with nothing to run; a tutorial without a command is a mistake
		}
		if all[file], err = tutorial.Parse(string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	return all
}

// pagesAtOnce is how many pages run side by side, where each has its own network: their commands mostly wait.
const pagesAtOnce = 4

// TestTutorialsDoWhatTheyShow runs each page to the letter.
func TestTutorialsDoWhatTheyShow(t *testing.T) {
	together(t)
	var group errgroup.Group
	group.SetLimit(1)
	if alone && !*update {
		group.SetLimit(pagesAtOnce)
	}
	for file, page := range pages(t) {
		group.Go(func() error {
			t.Run(file, func(t *testing.T) {
				waited := longestWait(t)
				printed, wrong := runPage(t, page, newShell(t, t.TempDir()), false)
				if w := waited(); len(wrong) > 0 && w > fairWait && alone { // alone: what the first time left has no ports of the second
					t.Logf("once more, as this process waited %v for a CPU: %s", w, wrong)
					printed, wrong = runPage(t, page, newShell(t, t.TempDir()), false)
				}
				for _, what := range wrong {
					t.Error(what)
				}
				if *update {
					rewrite(t, file, page, printed)
				}
			})
			return nil
		})
	}
	_ = group.Wait() // the tests say what is wrong
}

// TestNoPageWaitsForAnOldLine: a page that waits for a line in a file lets one command alone write that file. The shell empties the file of a
// command in the background when it gets to it, which may be after the wait has found the line of an earlier command.
func TestNoPageWaitsForAnOldLine(t *testing.T) {
	writes, waits, waited := regexp.MustCompile(`>\s?([\w.-]+\.\w+)`), regexp.MustCompile(`until grep [^;]*?([\w.-]+\.\w+)[^;\w]*;`), 0
	for file, page := range pages(t) {
		writers := map[string]int{}
		for _, part := range page.Parts {
			for _, command := range part.Commands {
				for _, w := range writes.FindAllStringSubmatch(command.Text, -1) {
					writers[w[1]]++
				}
				for _, w := range waits.FindAllStringSubmatch(command.Text, -1) {
					if waited++; writers[w[1]] != 1 {
						t.Errorf("%s, line %d: %d commands write %s, which is waited for: give each its own file", file, command.Line, writers[w[1]], w[1])
					}
				}
			}
		}
	}
	if waited < 5 {
		t.Errorf("only %d waits were found", waited)
	}
}

// fairWait is how long a process may wait for a CPU. Beyond it what a page shows may be what the machine did: verdicts on times say so themselves.
const fairWait = 100 * time.Millisecond

// longestWait begins to measure how long this process waits for a CPU at a time, and returns what ends it.
func longestWait(t *testing.T) (end func() time.Duration) {
	t.Helper()
	const step = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	longest := make(chan time.Duration, 1)
	go func() {
		most := time.Duration(0)
		for ctx.Err() == nil {
			before := time.Now()
			time.Sleep(step)
			most = max(most, time.Since(before)-step)
		}
		longest <- most
	}()
	return func() time.Duration {
		cancel()
		return <-longest
	}
}

// runPage runs a page's commands and returns what they printed, by the line of each, and what of it is wrong.
func runPage(t *testing.T, page tutorial.Page, shell *tutorial.Shell, stack bool) (printed map[int]string, wrong []string) {
	t.Helper()
	printed, last := map[int]string{}, ""
	for _, part := range page.Parts {
		if part.Console() && !part.Runs(stack) {
			last = ""
			continue
		}
		for _, r := range part.Ranges {
			if err := r.Check(last); last != "" && err != nil {
				wrong = append(wrong, fmt.Sprintf("line %d: %v", r.Line, err))
			}
		}
		var more []string
		last, more = runPart(t, shell, part, printed, last)
		wrong = append(wrong, more...)
	}
	return printed, wrong
}

// runPart runs a part's commands, notes what each printed by its line, and returns what the last one did, or what was printed before, and what is wrong.
func runPart(t *testing.T, shell *tutorial.Shell, part tutorial.Part, printed map[int]string, last string) (_ string, wrong []string) {
	t.Helper()
	for _, command := range part.Commands {
		var err error
		if last, _, err = shell.Run(command.Text); err != nil {
			t.Fatalf("line %d: %s: %v", command.Line, command.Text, err)
		}
		last = ofABusyMachine.ReplaceAllString(last, "")
		printed[command.Line] = last
		if err := tutorial.Compare(command.Want, last); err != nil && !*update {
			wrong = append(wrong, fmt.Sprintf("line %d: %s: %v\nall of it:\n%s", command.Line, command.Text, err, last))
		}
	}
	return last, wrong
}

// ofABusyMachine is what commands say where a server's span ended late because the machine had no time for it. A page's reader may see it, too.
var ofABusyMachine = regexp.MustCompile(`(?m)^warning: .* ended later than the client span that called it, .*\n?`)

// environment is that of a person who has installed the program, with nothing set.
func environment(t *testing.T) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		return strings.HasPrefix(setting, "TRACELAB_") || strings.HasPrefix(setting, "OTEL_") || strings.HasPrefix(setting, "PATH=")
	})
	return append(env, "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "COLUMNS=80", "LC_ALL=C.UTF-8")
}

func rewrite(t *testing.T, file string, page tutorial.Page, printed map[int]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if now := tutorial.Update(string(text), page, printed); now != string(text) {
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProgramsRun vets every Go block of the pages as a program that uses the libraries of this repository, and runs the commands that are said
// to be for it.
func TestProgramsRun(t *testing.T) {
	together(t)
	compiled, ran := 0, 0
	for file, page := range pages(t) {
		clone := ""
		for _, part := range page.Parts {
			switch part.Info {
			case "go":
				compiled++
				clone = compile(t, file, part)
			case "console clone":
				ran++
				printed := runClone(t, clone, part)
				if *update {
					rewrite(t, file, page, printed)
				}
			}
		}
	}
	if compiled == 0 || ran == 0 {
		t.Errorf("%d Go programs in the pages, %d blocks of commands for them", compiled, ran)
	}
}

// runClone runs the commands for a page's program.
func runClone(t *testing.T, clone string, part tutorial.Part) map[int]string {
	t.Helper()
	all := map[int]string{}
	runPart(t, newShell(t, clone), part, all, "")
	return all
}

// compile vets a program as try/main.go of a folder inside of the workspace, where the libraries and all that they need are known. It returns the
// folder, which is gone after the test.
func compile(t *testing.T, file string, part tutorial.Part) string {
	t.Helper()
	dir, err := os.MkdirTemp(".", "_page") //nolint:usetesting // a folder of the workspace; with an underscore no pattern of the go command finds it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a temporary folder
	if err := os.Mkdir(filepath.Join(dir, "try"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "try", "main.go"), []byte(part.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", "./try")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s, line %d: %v\n%s", file, part.Line, err, bytes.TrimSpace(out))
	}
	return dir
}

// TestIndexNamesEveryTutorial keeps the index whole, and in order.
func TestIndexNamesEveryTutorial(t *testing.T) {
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	files, err := tutorial.Files(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		i := strings.Index(string(index[at:]), "("+file+")")
		if i < 0 {
			t.Errorf("the index does not name %s, or not in its place", file)
			continue
		}
		at += i
	}
}
