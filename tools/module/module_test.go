package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tracelab/internal/testkit"
)

func TestMentions(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"lab", "journey", ".git"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ module, text, want string }{
		{"tracelab", "module tracelab\n", "module new.org/x\n"},
		{"tracelab", "// Comment\nmodule tracelab/journey\n", "// Comment\nmodule new.org/x/journey\n"},
		{"tracelab", `import "tracelab/lab/rundir"`, `import "new.org/x/lab/rundir"`},
		{"tracelab", `const Scope = "tracelab/lab"`, `const Scope = "new.org/x/lab"`},
		{"tracelab", "replace tracelab/journey => ./journey", "replace new.org/x/journey => ./journey"},
		{"tracelab", "see tracelab/lab, and tracelab/journey.", "see new.org/x/lab, and new.org/x/journey."},
		{"tracelab", "tracelab/lab tracelab/lab", "new.org/x/lab new.org/x/lab"},
		{"tracelab", "$HOME/.cache/tracelab/lab, cmd/tracelab/lab.go, tracelab/state, tracelab/laboratory, tracelab.run/v1, a lab named tracelab", ""},
		{"a.org/b", `"a.org/b/lab" "a.orgxb/lab" "xa.org/b/lab" "c.org/a.org/b/lab"`, `"new.org/x/lab" "a.orgxb/lab" "xa.org/b/lab" "c.org/a.org/b/lab"`},
	} {
		goMod := "module " + c.module + "\n"
		for name, text := range map[string]string{"go.mod": goMod, "text": c.text} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := rename(root, "new.org/x"); err != nil {
			t.Fatal(err)
		}
		want := c.want
		if want == "" {
			want = c.text
		}
		if got, err := os.ReadFile(filepath.Join(root, "text")); err != nil || string(got) != want {
			t.Errorf("%q of %s becomes %q (%v), want %q", c.text, c.module, got, err, want)
		}
	}
}

func TestPathsThatCannotBeFetchedAreRefused(t *testing.T) {
	for path, ok := range map[string]bool{"github.com/you/tracelab": true, "go.example.org/x-y/z_1": true, "tracelab": false, "github.com": false,
		"https://github.com/you/tracelab": false, "github.com/you/tracelab/v2": false, "github.com/you/": false, "": false} {
		if err := checkPath(path); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"tracelab"}, &stderr); code != 2 || !strings.Contains(stderr.String(), "begins with a domain") {
		t.Errorf("exit status %d, %q", code, stderr.String())
	}
}

// newPath is what a copy of this checkout is renamed to.
const newPath = "code.example.org/someone/traces"

// TestARenamedCopyIsWhole gives a copy of this checkout another path: all imports are found, tests' too, its architecture holds, the generated
// code and a package of each module compile, and no mention of the old path is left. TestARenamedCopyBuilds, with the tag stack, compiles the rest.
func TestARenamedCopyIsWhole(t *testing.T) {
	testkit.Unraced(t, "TestMentions")
	if testing.Short() {
		t.Skip("compiles packages of the repository under another path")
	}
	root := renamedCopy(t)
	for _, args := range [][]string{{"build", newPath + "/services/internal/orderpb", newPath + "/tools/module", newPath + "/journey", newPath + "/otelkgo", newPath + "/tracecontext"}, {"test", "-count=1", "-run", "^TestArchitecture$", "."}} {
		if out, err := goIn(t, root, args...); err != nil {
			t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	out, err := goIn(t, root, "list", "-deps", "-test", "-tags", "stack", "-f", "{{if .Module}}{{.ImportPath}}{{end}}", "work")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ours := 0
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, newPath+"/") {
			ours++
		}
		if strings.HasPrefix(line, "tracelab") {
			t.Errorf("a package has kept the old path: %s", line)
		}
	}
	if ours < 20 {
		t.Errorf("%d packages have the new path:\n%s", ours, out)
	}
	old, err := mentions(root, "tracelab")
	if err != nil {
		t.Fatal(err)
	}
	eachFile(t, root, func(file string) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if found := old.Find(text); found != nil && !strings.HasPrefix(file, filepath.Join("tools", "module")) {
			t.Errorf("%s still has %q", file, found)
		}
	})
}

// renamedCopy is a copy of this checkout that has been given newPath.
func renamedCopy(t *testing.T) string {
	t.Helper()
	root := copyOf(t, filepath.Join("..", ".."))
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"-root", root, newPath}, &stderr); code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr.String())
	}
	return root
}

// goIn runs the go command in a folder and returns what it printed. Without the folder's path in it, what is compiled there is in the build cache
// for the next copy, too.
func goIn(t *testing.T, folder string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "PWD="+folder, "GOFLAGS=-trimpath")
	out, err := command.CombinedOutput()
	return string(out), err
}

// copyOf copies a checkout without its history and without what was built or run in it.
func copyOf(t *testing.T, root string) string {
	t.Helper()
	folder := t.TempDir()
	eachFile(t, root, func(file string) {
		to := filepath.Join(folder, file)
		text, err := os.ReadFile(filepath.Join(root, file))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return folder
}

// eachFile calls do with every regular file below root that is not larger than what rename looks at.
func eachFile(t *testing.T, root string, do func(file string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(skipped, entry.Name()) {
			return fs.SkipDir
		}
		if info, err := entry.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
			return err
		}
		below, err := filepath.Rel(root, file)
		if err == nil {
			do(below)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
