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

// version returns the module's version when it was installed by that; else the commit. `go build` stamps the commit into the program;
// `go run` does not: then it is read from the repository around the source.
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

// headOf returns the commit that is checked out in the repository around a folder, or "". HEAD has the commit, or the name of a branch,
// whose commit is in a file of its own or among the packed ones. In a work tree .git is a file that leads to the repository.
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
