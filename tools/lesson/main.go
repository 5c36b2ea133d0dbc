// Command lesson walks through a tutorial of docs/ in the terminal: it shows the text up to the next command, waits for Enter, runs the
// command, and says whether what it printed is what the page shows. `task lesson -- 2` calls it.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"

	"tracelab/internal/tutorial"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "lesson:", err) // there is no other place for the error
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("lesson", flag.ContinueOnError)
	flags.SetOutput(out)
	docs := flags.String("docs", "docs", "folder of the tutorials")
	program := flags.String("program", "", "the tracelab to use (default: one that is built now)")
	stack := flags.Bool("stack", false, "run the commands that need the real stack, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	page, err := find(*docs, flags.Arg(0))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tracelab-lesson")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	path, err := folderOf(ctx, *program, dir)
	if err != nil {
		return err
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	shell, err := tutorial.NewShell(ctx, work, append(os.Environ(), "PATH="+path+string(os.PathListSeparator)+os.Getenv("PATH")))
	if err != nil {
		return err
	}
	w := walk{shell: shell, in: bufio.NewReader(in), out: out, stack: *stack, columns: columnsOf(out)}
	return errors.Join(w.page(page), shell.Close())
}

// find reads the tutorial with this number. Without one, or with an unknown one, the error names all tutorials.
func find(docs, number string) (tutorial.Page, error) {
	files, err := tutorial.Files(docs)
	if err != nil {
		return tutorial.Page{}, err
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if first, _, _ := strings.Cut(name, "-"); strings.TrimLeft(first, "0") == number || name == number {
			text, err := os.ReadFile(file)
			if err != nil {
				return tutorial.Page{}, err
			}
			page, err := tutorial.Parse(string(text))
			if err != nil {
				return page, fmt.Errorf("%s: %w", file, err)
			}
			return page, nil
		}
		names = append(names, name)
	}
	return tutorial.Page{}, fmt.Errorf("no lesson %q: there are %s", number, strings.Join(names, ", "))
}

// folderOf returns the folder of the program to use: the one that is named, or one that it builds in dir.
func folderOf(ctx context.Context, program, dir string) (string, error) {
	if program != "" {
		return filepath.Abs(filepath.Dir(program))
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "tracelab"), "./cmd/tracelab")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build tracelab: %w\n%s", err, out)
	}
	return dir, nil
}

// walk is a walk through one page.
type walk struct {
	shell   *tutorial.Shell
	in      *bufio.Reader
	out     io.Writer
	stack   bool
	columns int    // that prose may take
	wrong   int    // how often the output was not as the page says
	last    string // what the last command printed
}

func (w *walk) page(page tutorial.Page) error {
	for _, part := range page.Parts {
		if err := w.part(part); err != nil {
			return err
		}
	}
	if w.wrong > 0 {
		return fmt.Errorf("%d times the output was not what the page says", w.wrong)
	}
	w.say("\nThat was %q. Everything was as the page says.", page.Title)
	return nil
}

func (w *walk) part(part tutorial.Part) error {
	if !part.Console() {
		text := strings.TrimRight(part.Text, "\n")
		if part.Info == "" {
			text = tutorial.Reflow(text, w.columns)
		}
		w.say("%s", text)
		w.check(part.Ranges)
		return nil
	}
	for _, command := range part.Commands {
		w.say("\n$ %s", command.Text)
		if !part.Runs(w.stack) {
			w.say("(not run here: %s)", part.Info)
			continue
		}
		if err := w.enter(); err != nil {
			return err
		}
		printed, _, err := w.shell.Run(command.Text)
		if err != nil {
			return err
		}
		w.last = printed
		w.say("%s", strings.TrimRight(printed, "\n"))
		if err := tutorial.Compare(command.Want, printed); err != nil {
			w.wrong++
			w.say("[not as the page shows: %v]", err)
		} else {
			w.say("[as the page shows]")
		}
	}
	return nil
}

// Widths of prose: a page's lines are as wide as an editor, not as a terminal.
const (
	minColumns = 40
	maxColumns = 100
)

// columnsOf returns how wide prose may be: as wide as the terminal, within reason, and 80 columns elsewhere.
func columnsOf(out io.Writer) int {
	if file, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return min(max(width, minColumns), maxColumns)
		}
	}
	return 80
}

// check says for each range in the text whether the number lies in it.
func (w *walk) check(ranges []tutorial.Range) {
	for _, r := range ranges {
		if w.last == "" {
			return
		}
		if err := r.Check(w.last); err != nil {
			w.wrong++
			w.say("[%v]", err)
		} else {
			w.say("[%s: yes]", strings.TrimSpace(r.Row+" "+r.Column))
		}
	}
}

// enter waits for a line of input. At the end of the input it does not wait.
func (w *walk) enter() error {
	_, _ = fmt.Fprint(w.out, "[Enter runs it] ")
	_, err := w.in.ReadString('\n')
	if errors.Is(err, io.EOF) {
		w.say("")
		return nil
	}
	return err
}

// say writes a line. An error of the terminal is ignored: there is no other place to report it.
func (w *walk) say(format string, args ...any) { _, _ = fmt.Fprintf(w.out, format+"\n", args...) }
