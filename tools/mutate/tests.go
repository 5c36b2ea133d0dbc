package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// tests are those of one package.
type tests struct {
	folder  string
	flags   [][]string    // of the runs, the quickest first: most mutations are noticed by it
	timeout time.Duration // of each run
}

// unbroken runs the tests of a package with nothing broken, to see that they pass and how long that takes.
func unbroken(ctx context.Context, folder string) (*tests, error) {
	t := &tests{folder: folder, flags: [][]string{nil}, timeout: 10 * minTimeout}
	rapid, err := usesRapid(folder)
	if err != nil {
		return nil, err
	}
	if rapid {
		t.flags = [][]string{{"-rapid.nofailfile", "-rapid.checks=100"}, {"-rapid.nofailfile"}}
	}
	began := time.Now()
	failed, by, err := t.fail(ctx, "")
	if err != nil {
		return nil, err
	}
	if failed {
		return nil, fmt.Errorf("the tests of %s fail with nothing broken: %s", folder, by)
	}
	t.timeout = max(minTimeout, 5*time.Since(began))
	return t, nil
}

// usesRapid reports whether the package's tests draw their cases, and so have flags for how many.
func usesRapid(folder string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	for _, file := range files {
		var text []byte
		if text, err = os.ReadFile(file); err != nil {
			break
		}
		if bytes.Contains(text, []byte("pgregory.net/rapid")) {
			return true, nil
		}
	}
	return false, err
}

// fail builds the tests, over which an overlay may be laid, and reports which of them fails first, if any does.
func (t *tests) fail(ctx context.Context, overlay string) (failed bool, by string, err error) {
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return false, "", fmt.Errorf("a folder for the built tests: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is the system's folder for what may be forgotten
	binary := filepath.Join(dir, "test")
	build := []string{"test", "-c", "-o", binary, "./" + filepath.ToSlash(t.folder)}
	if overlay != "" {
		build = append(build[:2:2], append([]string{"-overlay", overlay}, build[2:]...)...)
	}
	if out, err := exec.CommandContext(ctx, "go", build...).CombinedOutput(); err != nil {
		return false, "", fmt.Errorf("the mutation does not compile: %w\n%s", err, out)
	}
	for _, flags := range t.flags {
		if failed, by, err = t.run(ctx, binary, flags); failed || err != nil {
			return failed, by, err
		}
	}
	return false, "", nil
}

// run runs the built tests once.
func (t *tests) run(ctx context.Context, binary string, flags []string) (failed bool, by string, err error) {
	limited, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, binary, append([]string{"-test.failfast", "-test.timeout=0"}, flags...)...)
	cmd.Dir = t.folder
	output, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return false, "", context.Cause(ctx)
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return true, fmt.Sprintf("a timeout of %v", t.timeout.Round(time.Second)), nil
	}
	return err != nil, firstFailure(output), nil
}

// firstFailure is the name of the first test that failed.
func firstFailure(output []byte) string {
	for line := range bytes.Lines(output) {
		if name, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("--- FAIL: ")); ok {
			name, _, _ = bytes.Cut(name, []byte(" "))
			return string(name)
		}
	}
	return "a crash"
}
