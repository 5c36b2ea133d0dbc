// Command module gives this repository another module path, under which others can fetch it:
//
//	go run ./tools/module github.com/you/tracelab
//
// The path stands in one place, the module line of go.mod. From there the command finds every other mention and changes it: imports, the nested
// modules, go.work, replace directives, scope names, .proto files, docs, and strings in tests. Then it writes the generated code anew and tidies
// each module. It changes files of the working tree and commits nothing. The exit status is 0 when done, 1 on failure and 2 for a wrong command line.
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
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("module", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", ".", "top `folder` of the checkout")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() != 1 {
		_, _ = fmt.Fprintln(stderr, "usage: module [-root DIR] PATH, as github.com/you/tracelab")
		return 2
	}
	path := flags.Arg(0)
	if err := checkPath(path); err != nil {
		_, _ = fmt.Fprintln(stderr, "module:", err)
		return 2
	}
	changed, err := rename(*root, path)
	if err == nil {
		_, _ = fmt.Fprintf(stderr, "module: %s in %d files; generating and tidying\n", path, len(changed))
		err = settle(ctx, *root, changed)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "module:", err)
		return 1
	}
	return 0
}

// settle brings everything that is made from the changed files up to date.
func settle(ctx context.Context, root string, changed []string) error {
	var goFiles, protos []string
	for _, file := range changed {
		switch filepath.Ext(file) {
		case ".go":
			goFiles = append(goFiles, file)
		case ".proto":
			protos = append(protos, filepath.ToSlash(file))
		}
	}
	if len(goFiles) > 0 { // imports are sorted by their paths
		if err := command(ctx, root, "gofmt", append([]string{"-w"}, goFiles...)...); err != nil {
			return err
		}
	}
	if len(protos) > 0 { // the generated code holds the path in bytes, with its length
		if err := command(ctx, filepath.Join(root, "tools", "generate"), "go", append([]string{"run", "."}, protos...)...); err != nil {
			return err
		}
	}
	modules, err := workspace(root)
	if err != nil {
		return err
	}
	for _, module := range modules { // requirements are sorted, too
		if err := command(ctx, filepath.Join(root, module), "go", "mod", "tidy"); err != nil {
			return err
		}
	}
	return nil
}

// workspace lists the folders that go.work names.
func workspace(root string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return nil, err
	}
	var folders []string
	for line := range strings.Lines(string(text)) {
		if folder := strings.TrimSpace(line); folder == "." || strings.HasPrefix(folder, "./") {
			folders = append(folders, folder)
		}
	}
	if len(folders) == 0 {
		return nil, errors.New("go.work names no module")
	}
	return folders, nil
}

// command runs a program outside of the workspace; what it printed is part of the error.
func command(ctx context.Context, folder, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = folder
	c.Env = append(os.Environ(), "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s in %s: %w:\n%s", name, args[0], folder, err, out)
	}
	return nil
}
