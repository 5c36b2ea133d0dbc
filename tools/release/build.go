package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// target is a system and a processor, as Go names them.
type target struct{ system, processor string }

// String writes the target as linux/amd64.
func (t target) String() string { return t.system + "/" + t.processor }

// program is the name of the program's file.
func (t target) program() string {
	if t.system == "windows" {
		return "tracelab.exe"
	}
	return "tracelab"
}

// commit is what is checked out.
type commit struct {
	id      string
	version string    // its tag, or the beginning of its id
	at      time.Time // when it was made: every file of a release is of that time
}

// checkedOut asks git for the commit. Files that are changed, or not known to git, would be in the program and in no commit.
func checkedOut(ctx context.Context, root string) (commit, error) {
	var c commit
	status, err := output(ctx, root, "git", "status", "--porcelain")
	if err != nil {
		return c, err
	}
	if status != "" {
		first, _, _ := strings.Cut(status, "\n")
		return c, fmt.Errorf("a release is built of a commit, and something is not committed (%s): commit it, or remove it", strings.TrimSpace(first))
	}
	if c.id, err = output(ctx, root, "git", "rev-parse", "HEAD"); err != nil {
		return c, err
	}
	seconds, err := output(ctx, root, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return c, err
	}
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return c, fmt.Errorf("git log: the time of the commit: %w", err)
	}
	c.at = time.Unix(at, 0).UTC()
	tags, err := output(ctx, root, "git", "tag", "--points-at", "HEAD")
	if err != nil {
		return c, err
	}
	c.version = c.id[:12]
	for tag := range strings.FieldsSeq(tags) { // those of the modules have the module's name in front
		if regexp.MustCompile(`^v\d+\.\d+\.\d+`).MatchString(tag) {
			c.version = tag
		}
	}
	return c, nil
}

// build links the program: without the paths of this machine, without C, and with the commit in it.
func build(ctx context.Context, root, program string, c commit, t target) error {
	file, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.commit="+c.id, "-o", file, "./cmd/tracelab")
	command.Dir = root
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+t.system, "GOARCH="+t.processor, "GOAMD64=v1", "GOARM64=v8.0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// output runs a command in a folder and returns what it prints.
func output(ctx context.Context, dir string, words ...string) (string, error) {
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Dir = dir
	var wrong bytes.Buffer
	command.Stderr = &wrong
	out, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is missing: install it: %w", words[0], err)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(wrong.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
