//go:build linux || darwin

package parts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"tracelab/internal/flock"
)

// build is a program made from sources: as long as their bytes, the salt, and Go's version and system stay the same, so does the program.
type build struct {
	name     string
	sources  []string  // files that decide what is built
	salt     string    // what else decides it
	progress io.Writer // is told how the build goes on; nil tells nobody
	compile  compiler
}

// compiler makes a program: it gets an empty scratch folder and the path where it leaves the program, and writes to progress what it does.
type compiler func(ctx context.Context, folder, output string, progress io.Writer) error

// program returns the path of the program, after making it if it is not in the user's cache. The program appears by a rename, so one
// that exists is whole.
func (b build) program(ctx context.Context) (string, error) {
	key, err := b.key()
	if err != nil {
		return "", err
	}
	home, err := CacheFolder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(home, b.name+"-"+key)
	if exists(path) {
		return path, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	progress, stop := startProgress(b.name, b.progress)
	defer stop()
	lock, err := flock.Wait(ctx, filepath.Join(home, b.name+".lock"))
	if err != nil {
		return "", fmt.Errorf("wait for another build of %s: %w", b.name, err)
	}
	defer func() { _ = lock.Close() }()
	if exists(path) { // the one that held the lock has made it
		return path, nil
	}
	return path, b.into(ctx, home, path, progress)
}

// into makes the program in a scratch folder of its own and moves it to path.
func (b build) into(ctx context.Context, home, path string, progress io.Writer) (err error) {
	folder, err := os.MkdirTemp(home, b.name+"-building-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	output := filepath.Join(folder, "program")
	if err := b.compile(ctx, folder, output, progress); err != nil {
		return fmt.Errorf("build %s: %w", b.name, err)
	}
	return os.Rename(output, path)
}

func (b build) key() (string, error) {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s %s %s %q\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, b.salt) // a hash takes everything
	for _, file := range b.sources {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(sum, "%d\n%s", len(text), text)
	}
	return fmt.Sprintf("%.6x", sum.Sum(nil)), nil
}

// run runs a program that builds something; its output goes to progress, and is part of the error.
func run(ctx context.Context, progress io.Writer, folder, program string, args ...string) error {
	var out bytes.Buffer
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	command.Stdout = io.MultiWriter(&out, progress)
	command.Stderr = command.Stdout
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s in %s: %w:\n%s", program, strings.Join(args, " "), folder, err, lastLines(out.String(), 20))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
