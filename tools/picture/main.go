// Command picture makes the pictures of README and of the tutorials again, each from a real run.
//
//	go run ./tools/picture [-out docs] [NAME ...]
//	go run ./tools/picture -page URL -size 1000x800 -out docs/some.png
//
// Without a name it makes all. The second form makes a picture of any page, such as one that `tracelab up` serves. It needs Chromium, and a picture
// of more than 150 KB is an error: make it smaller.
//
// The exit status is 0 when all are made, 1 when one is not and 2 for a wrong command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"tracelab/internal/parts"
	"tracelab/tools/internal/chromium"
)

// limit is how many bytes a picture may have: a page with a few of them stays quick to load.
const limit = 150_000

// pageTimeout bounds the making of one picture.
const pageTimeout = 2 * time.Minute

// errUsage is about the command line.
var errUsage = errors.New("wrong command line")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintln(os.Stderr, "picture:", err) // there is no other place for the error
		os.Exit(2)
	default:
		_, _ = fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	flags := flag.NewFlagSet("picture", flag.ContinueOnError)
	flags.SetOutput(progress)
	out := flags.String("out", "docs", "`folder` of the pictures; with -page, the picture's file")
	page := flags.String("page", "", "`address` of a page to make a picture of instead")
	size := flags.String("size", "1000x800", "`width` and height of that picture in pixels")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	wanted, err := choose(flags.Args())
	if err != nil {
		return err
	}
	program, err := chromium.Find()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tracelab-picture-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // runs and profiles of the browser
	c := camera{program, work, progress}
	if *page == "" {
		return c.takeAll(ctx, wanted, *out)
	}
	shot := chromium.Shot{Page: *page, File: *out}
	if n, err := fmt.Sscanf(*size, "%dx%d", &shot.Width, &shot.Height); n != 2 || err != nil || shot.Width < 1 || shot.Height < 1 {
		return fmt.Errorf("%w: -size %s: give width and height, as 1000x800", errUsage, *size)
	}
	return c.take(ctx, shot)
}

// choose returns the pictures with these names, or all.
func choose(names []string) ([]picture, error) {
	if len(names) == 0 {
		return pictures, nil
	}
	var chosen []picture
	for _, name := range names {
		i := slices.IndexFunc(pictures, func(p picture) bool { return p.name == strings.TrimSuffix(name, ".png") })
		if i < 0 {
			return nil, fmt.Errorf("%w: no picture %q: there are %s", errUsage, name, strings.Join(allNames(), ", "))
		}
		chosen = append(chosen, pictures[i])
	}
	return chosen, nil
}

func allNames() []string {
	var names []string
	for _, p := range pictures {
		names = append(names, p.name)
	}
	return names
}

// camera makes pictures with a browser.
type camera struct {
	program  string
	work     string // a folder for all that is not to be kept
	progress io.Writer
}

// takeAll builds the program, runs each picture's commands in a folder of its own, and makes a picture of the page that they wrote.
func (c camera) takeAll(ctx context.Context, wanted []picture, out string) error {
	root, err := parts.Root()
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(c.work, "bin", "tracelab"), "./cmd/tracelab")
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build tracelab: %w\n%s", err, text)
	}
	for _, p := range wanted {
		dir := filepath.Join(c.work, p.name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		shell := exec.CommandContext(ctx, "sh", "-ec", p.commands)
		shell.Dir, shell.Env = dir, append(os.Environ(), "PATH="+filepath.Join(c.work, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
		if text, err := shell.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%.2000s", p.name, err, text)
		}
		shot := chromium.Shot{Page: "file://" + filepath.Join(dir, "page.html"), File: filepath.Join(out, p.name+".png"), Width: p.width, Height: p.height}
		if err := c.take(ctx, shot); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// take makes one picture and says how large it is.
func (c camera) take(ctx context.Context, shot chromium.Shot) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pageTimeout, fmt.Errorf("no picture within %v", pageTimeout))
	defer cancel()
	shot.Work = c.work
	if err := shot.Take(ctx, c.program); err != nil {
		return err
	}
	info, err := os.Stat(shot.File)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(c.progress, "%s: %d x %d, %d KB\n", shot.File, shot.Width, shot.Height, info.Size()/1000)
	if info.Size() > limit {
		return fmt.Errorf("%s has %d KB, more than %d: make it lower or narrower", shot.File, info.Size()/1000, limit/1000)
	}
	return nil
}
