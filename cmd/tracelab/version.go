package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// commit is set by the linker where the build sees no repository, as in the image: -X main.commit=…
var commit string

// unreleased is the version of a program that was built outside of any repository.
const unreleased = "unreleased"

// version is the module's, when it was installed by its version; else the commit, of which `go build` leaves a stamp and `go run` does
// not: then it is read from the repository that the source lies in.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" && !strings.HasPrefix(info.Main.Version, "(") && !strings.HasPrefix(info.Main.Version, "v0.0.0-") {
		return info.Main.Version
	}
	revision := commit
	if ok && revision == "" {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = setting.Value
			}
		}
	}
	if _, source, _, ok := runtime.Caller(0); revision == "" && ok {
		revision = headOf(filepath.Dir(source))
	}
	if revision == "" {
		return unreleased
	}
	return revision[:min(12, len(revision))]
}

// headOf is the commit that is checked out in the repository around a folder, or "". It reads what git writes: HEAD has the commit or
// the name of a branch, whose commit is in a file of its own or among the packed ones. A work tree keeps a file that leads there.
func headOf(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		git := filepath.Join(dir, ".git")
		if text, err := os.ReadFile(git); err == nil {
			git = strings.TrimSpace(strings.TrimPrefix(string(text), "gitdir:"))
		}
		if head, err := os.ReadFile(filepath.Join(git, "HEAD")); err == nil {
			branch, onBranch := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
			if !onBranch {
				return branch
			}
			return commitOf(git, branch)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func commitOf(git, branch string) string {
	if common, err := os.ReadFile(filepath.Join(git, "commondir")); err == nil {
		git = filepath.Join(git, strings.TrimSpace(string(common)))
	}
	if text, err := os.ReadFile(filepath.Join(git, branch)); err == nil {
		return strings.TrimSpace(string(text))
	}
	packed, err := os.ReadFile(filepath.Join(git, "packed-refs"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(packed)) {
		if id, ok := strings.CutSuffix(strings.TrimSpace(line), " "+branch); ok {
			return id
		}
	}
	return ""
}
