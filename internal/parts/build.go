//go:build linux || darwin

package parts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// build is a program made from sources: as long as their bytes, the salt, and Go's version and system stay the same, so does the program.
type build struct {
	name    string
	sources []string // files that decide what is built
	salt    string   // what else decides it
}

// program returns the path of the program, after making it if it is not in the user's cache. compile gets an empty scratch folder and the
// path where it leaves the program. The program appears by a rename, so one that exists is whole.
func (b build) program(ctx context.Context, compile func(ctx context.Context, folder, output string) error) (string, error) {
	key, err := b.key()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "tracelab")
	path := filepath.Join(home, b.name+"-"+key)
	if exists(path) {
		return path, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	lock, err := await(ctx, filepath.Join(home, b.name+".lock"))
	if err != nil {
		return "", fmt.Errorf("wait for another build of %s: %w", b.name, err)
	}
	defer func() { _ = lock.Close() }()
	if exists(path) { // the one that held the lock has made it
		return path, nil
	}
	return path, b.into(ctx, home, path, compile)
}

// into makes the program in a scratch folder of its own and moves it to path.
func (b build) into(ctx context.Context, home, path string, compile func(ctx context.Context, folder, output string) error) (err error) {
	folder, err := os.MkdirTemp(home, b.name+"-building-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	output := filepath.Join(folder, "program")
	if err := compile(ctx, folder, output); err != nil {
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

// await takes the lock of that name, which holds until the file is closed or the process ends. The file is never removed: two processes
// could then hold locks of the same name.
func await(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// run runs a program that builds something; its output is part of the error.
func run(ctx context.Context, folder, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s in %s: %w:\n%s", program, strings.Join(args, " "), folder, err, lastLines(string(out), 20))
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
