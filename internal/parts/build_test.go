//go:build linux || darwin

package parts

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestOneBuildServesAllCallers holds because each caller opens the lock file for itself, as different processes do.
func TestOneBuildServesAllCallers(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // macOS's cache is below it
	source := filepath.Join(t.TempDir(), "source")
	write(t, source, "one")
	var builds atomic.Int64
	b := build{name: "part", sources: []string{source}, compile: func(_ context.Context, _, output string, _ io.Writer) error {
		builds.Add(1)
		return os.WriteFile(output, []byte("program"), 0o755)
	}}
	var callers errgroup.Group
	var paths [6]string
	for i := range paths {
		callers.Go(func() (err error) {
			paths[i], err = b.program(t.Context())
			return err
		})
	}
	if err := callers.Wait(); err != nil {
		t.Fatal(err)
	}
	if builds.Load() != 1 {
		t.Errorf("%d builds for %d callers at once", builds.Load(), len(paths))
	}
	for _, path := range paths {
		if path != paths[0] || !exists(path) {
			t.Errorf("paths %q", paths)
		}
	}
	write(t, source, "two")
	changed, err := b.program(t.Context())
	if err != nil || changed == paths[0] || builds.Load() != 2 {
		t.Errorf("after a change: %s, %d builds, %v", changed, builds.Load(), err)
	}
	write(t, source, "one")
	if back, err := b.program(t.Context()); err != nil || back != paths[0] || builds.Load() != 2 {
		t.Errorf("changed back: %s, %d builds, %v", back, builds.Load(), err)
	}
}

func TestAFailedBuildLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	source := filepath.Join(t.TempDir(), "source")
	write(t, source, "one")
	b := build{name: "part", sources: []string{source}, compile: func(ctx context.Context, folder, output string, progress io.Writer) error {
		return errors.Join(os.WriteFile(output, []byte("half"), 0o755), run(ctx, progress, folder, "sh", "-c", "echo no such module; exit 1"))
	}}
	_, err := b.program(t.Context())
	if err == nil || !strings.Contains(err.Error(), "build part") || !strings.Contains(err.Error(), "no such module") {
		t.Errorf("error %v", err)
	}
	var left []string
	err = filepath.WalkDir(cache, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			left = append(left, filepath.Base(path))
		}
		return err
	})
	if err != nil || len(left) != 1 || left[0] != "part.lock" {
		t.Errorf("left in the cache: %q, %v", left, err)
	}
}

// TestALongBuildSaysThatItGoesOn runs in virtual time.
func TestALongBuildSaysThatItGoesOn(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	var progress strings.Builder
	synctest.Test(t, func(t *testing.T) {
		b := build{name: "part", progress: &progress, compile: func(_ context.Context, _, output string, progress io.Writer) error {
			time.Sleep(6 * time.Second)
			_, err := io.WriteString(progress, "first\nsecond line of it\n")
			time.Sleep(6 * time.Second)
			return errors.Join(err, os.WriteFile(output, nil, 0o755))
		}}
		for range 2 { // the second time it is there
			if _, err := b.program(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	want := "building part, once (minutes): 5s\nbuilding part, once (minutes): 10s, second line of it\n"
	if progress.String() != want {
		t.Errorf("told %q, want %q", progress.String(), want)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
