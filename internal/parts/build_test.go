//go:build linux || darwin

package parts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestOneBuildServesAllCallers holds because each caller opens the lock file for itself, as different processes do.
func TestOneBuildServesAllCallers(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // macOS's cache is below it
	source := filepath.Join(t.TempDir(), "source")
	write(t, source, "one")
	b := build{name: "part", sources: []string{source}}
	var builds atomic.Int64
	compile := func(_ context.Context, _, output string) error {
		builds.Add(1)
		return os.WriteFile(output, []byte("program"), 0o755)
	}
	var callers errgroup.Group
	var paths [6]string
	for i := range paths {
		callers.Go(func() (err error) {
			paths[i], err = b.program(t.Context(), compile)
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
	changed, err := b.program(t.Context(), compile)
	if err != nil || changed == paths[0] || builds.Load() != 2 {
		t.Errorf("after a change: %s, %d builds, %v", changed, builds.Load(), err)
	}
	write(t, source, "one")
	if back, err := b.program(t.Context(), compile); err != nil || back != paths[0] || builds.Load() != 2 {
		t.Errorf("changed back: %s, %d builds, %v", back, builds.Load(), err)
	}
}

func TestAFailedBuildLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	source := filepath.Join(t.TempDir(), "source")
	write(t, source, "one")
	b := build{name: "part", sources: []string{source}}
	_, err := b.program(t.Context(), func(ctx context.Context, folder, output string) error {
		return errors.Join(os.WriteFile(output, []byte("half"), 0o755), run(ctx, folder, "sh", "-c", "echo no such module; exit 1"))
	})
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

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
