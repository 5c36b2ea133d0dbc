package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVersionIsACommit: also here, where the build has no stamp, as with `go run`.
func TestVersionIsACommit(t *testing.T) {
	if v := version(); v != unreleased && !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(v) {
		t.Errorf("the version is %q", v)
	}
}

// TestHeadOf reads repositories that git itself has made.
func TestHeadOf(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git(dir, "init", "-q")
	git(dir, "commit", "-q", "--allow-empty", "-m", "first")
	want := git(dir, "rev-parse", "HEAD")
	deep := filepath.Join(dir, "cmd", "tracelab")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	check := func(what, dir, want string) {
		t.Helper()
		if got := headOf(dir); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("a branch", deep, want)
	git(dir, "pack-refs", "--all")
	check("a packed branch", deep, want)
	tree := filepath.Join(outside, "tree")
	git(dir, "worktree", "add", "-q", "-b", "other", tree)
	check("a work tree", tree, want)
	git(dir, "checkout", "-q", "--detach")
	check("no branch", deep, want)
	check("no repository", t.TempDir(), "")
}
