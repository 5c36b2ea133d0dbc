//go:build stack

package interop

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
)

// installWithin is what npm and pip may take to fetch what is not in the cache.
const installWithin = 5 * time.Minute

// node returns a program of testdata/node. Its modules come from npm, in the versions of package-lock.json.
func node(t *testing.T, args ...string) program {
	t.Helper()
	folder := installed(t, "node", []string{"package.json", "package-lock.json"}, "node --version", func(ctx context.Context, folder string) error {
		for _, name := range []string{"package.json", "package-lock.json"} {
			text, err := os.ReadFile(filepath.Join("testdata", "node", name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
				return err
			}
		}
		return run(ctx, folder, "npm", "ci", "--no-audit", "--no-fund")
	})
	args[0] = filepath.Join("testdata", "node", args[0])
	return program{append([]string{"node"}, args...), []string{"NODE_PATH=" + filepath.Join(folder, "node_modules")}}
}

// python returns a program of testdata/python. Its packages come from pip, in the versions of requirements.txt, into a virtual environment.
func python(t *testing.T, args ...string) program {
	t.Helper()
	folder := installed(t, "python", []string{"requirements.txt"}, "python3 --version", func(ctx context.Context, folder string) error {
		requirements, err := filepath.Abs(filepath.Join("testdata", "python", "requirements.txt"))
		if err != nil {
			return err
		}
		return errors.Join(run(ctx, folder, "python3", "-m", "venv", "."),
			run(ctx, folder, filepath.Join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements))
	})
	args[0] = filepath.Join("testdata", "python", args[0])
	return program{append([]string{filepath.Join(folder, "bin", "python")}, args...), []string{"PYTHONDONTWRITEBYTECODE=1"}}
}

// installed returns a folder of the user's cache where install has put what the files of testdata/LANGUAGE ask for. Other files, and another
// version of the language, make another folder. It appears by a rename, so one that exists is whole.
func installed(t *testing.T, language string, files []string, version string, install func(ctx context.Context, folder string) error) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installWithin)
	defer cancel()
	sum := sha256.New()
	words := strings.Fields(version)
	text, err := exec.CommandContext(ctx, words[0], words[1:]...).Output()
	if err != nil {
		t.Fatalf("%s: %v: install it", version, err)
	}
	_, _ = sum.Write(text) // a hash takes everything
	for _, file := range files {
		if text, err = os.ReadFile(filepath.Join("testdata", language, file)); err != nil {
			t.Fatal(err)
		}
		_, _ = sum.Write(text)
	}
	home, err := parts.CacheFolder()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := flock.Wait(ctx, filepath.Join(home, "interop.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	folder := filepath.Join(home, fmt.Sprintf("interop-%s-%.6x", language, sum.Sum(nil)))
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return folder
	}
	scratch, err := os.MkdirTemp(home, "interop-installing-") //nolint:usetesting // a rename stays within one file system
	if err != nil {
		t.Fatal(err)
	}
	if err := install(ctx, scratch); err != nil {
		t.Fatal(errors.Join(err, os.RemoveAll(scratch)))
	}
	if err := os.Rename(scratch, folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

func run(ctx context.Context, folder, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
