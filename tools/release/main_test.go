package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkout makes a repository of a small program, with one commit that has a tag.
func checkout(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module tracelab\n\ngo 1.26.0\n", "cmd/tracelab/main.go": "package main\n\nvar commit string\n\nfunc main() { println(commit) }\n",
		"NOTICE": "NOTICE\n\n" + standardLibrary + "  BSD-3-Clause\n\n----\n", "LICENSE": "Apache\n", "README.md": "# tracelab\n", ".gitignore": "dist/\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, words := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "all"}, {"tag", "otelkgo/v0.3.0"}, {"tag", "v1.2.3"}} {
		command := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"}, words...)...)
		command.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-03-01T12:00:00Z", "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", words, err, out)
		}
	}
	return dir
}

// released makes a release for this machine, and returns its files.
func released(t *testing.T, root string) map[string][]byte {
	t.Helper()
	var out, talk bytes.Buffer
	if code := run(t.Context(), []string{"-root", root, "-out", filepath.Join(root, "dist"), "-targets", runtime.GOOS + "/" + runtime.GOARCH}, &out, &talk); code != 0 {
		t.Fatalf("exit status %d: %s", code, talk.String())
	}
	files := map[string][]byte{}
	dir := strings.TrimSpace(out.String())
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestTheSameCommitGivesTheSameBytes builds one commit in two folders.
func TestTheSameCommitGivesTheSameBytes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a zip is looked at elsewhere")
	}
	root := checkout(t)
	elsewhere := filepath.Join(t.TempDir(), "another", "place")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "-q", root, elsewhere).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v: %s", err, out)
	}
	files, again := released(t, root), released(t, elsewhere)
	name := "tracelab_v1.2.3_" + runtime.GOOS + "_" + runtime.GOARCH
	for _, want := range []string{name + ".tar.gz", name + ".cdx.json", "SHA256SUMS"} {
		if len(files[want]) == 0 || !bytes.Equal(files[want], again[want]) {
			t.Errorf("%s: %d bytes, and %d the other time: want the same", want, len(files[want]), len(again[want]))
		}
	}
	if sums := string(files["SHA256SUMS"]); strings.Count(sums, "\n") != 2 || !strings.Contains(sums, "  "+name+".tar.gz\n") {
		t.Errorf("SHA256SUMS:\n%s", sums)
	}
	if inside := inTar(t, files[name+".tar.gz"]); !slices.Equal(inside, []string{"tracelab 755", "LICENSE 644", "NOTICE 644", "README.md 644"}) {
		t.Errorf("in the archive: %q", inside)
	}
	var b bom
	if err := json.Unmarshal(files[name+".cdx.json"], &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Metadata.Component.Version != "v1.2.3" || b.Metadata.Timestamp != "2026-03-01T12:00:00Z" || len(b.Metadata.Component.Hashes) != 1 || len(b.Components) != 1 || b.Components[0].Name != "std" {
		t.Errorf("%+v", b)
	}
}

func inTar(t *testing.T, archive []byte) (inside []string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for reader := tar.NewReader(packed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return inside
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
			t.Errorf("%s is of %v, want the commit's time", header.Name, header.ModTime)
		}
		inside = append(inside, fmt.Sprintf("%s %o", header.Name, header.Mode))
	}
}

func TestArchiveForWindows(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, target{"windows", "amd64"}.program())
	if err := os.WriteFile(program, []byte("MZ"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeArchive(filepath.Join(dir, "a"), target{"windows", "amd64"}, time.Unix(1_700_000_000, 0).UTC(), []string{program}); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(dir, "a.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }() // it was read
	if len(archive.File) != 1 || archive.File[0].Name != "tracelab.exe" || archive.File[0].Mode().Perm() != 0o755 {
		t.Errorf("%v", archive.File)
	}
}

// TestBillOfMaterials has a module of each kind: from elsewhere, replaced by another version, of this checkout, and unknown to NOTICE.
func TestBillOfMaterials(t *testing.T) {
	licenses := map[string]string{standardLibrary: "BSD-3-Clause", "example.org/a v1.0.0": "MIT", "example.org/c v2.0.0": "Apache-2.0 AND BSD-3-Clause"}
	info := &debug.BuildInfo{GoVersion: "go1.26.1", Deps: []*debug.Module{
		{Path: "example.org/a", Version: "v1.0.0"},
		{Path: "example.org/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/c", Version: "v2.0.0"}},
		{Path: "tracelab/journey", Version: "v0.0.0", Replace: &debug.Module{Path: "./journey", Version: "(devel)"}},
	}}
	c := commit{id: "1234567890abcdef", version: "v1.2.3", at: time.Unix(1_700_000_000, 0).UTC()}
	b, err := billOf(info, c, target{"linux", "arm64"}, licenses)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, part := range b.Components {
		listed = append(listed, part.PURL+" "+part.Licenses[0].Expression)
	}
	if want := []string{"pkg:golang/std@1.26.1 BSD-3-Clause", "pkg:golang/example.org/a@v1.0.0 MIT", "pkg:golang/example.org/c@v2.0.0 Apache-2.0 AND BSD-3-Clause"}; !slices.Equal(listed, want) {
		t.Errorf("%q, want %q", listed, want)
	}
	info.Deps = append(info.Deps, &debug.Module{Path: "example.org/d", Version: "v1.0.0"})
	if _, err := billOf(info, c, target{"windows", "amd64"}, licenses); err == nil || !strings.Contains(err.Error(), "example.org/d v1.0.0 is linked, and NOTICE has no license of it") {
		t.Errorf("a module that NOTICE does not name: %v", err)
	}
}

// TestLicensesOfTheRealNotice finds every module of NOTICE's table.
func TestLicensesOfTheRealNotice(t *testing.T) {
	licenses, err := readLicenses(filepath.Join("..", "..", "NOTICE"))
	if err != nil || len(licenses) < 40 || licenses[standardLibrary] == "" {
		t.Errorf("%v, %d licenses", err, len(licenses))
	}
}

func TestRefusals(t *testing.T) {
	var out, talk bytes.Buffer
	for _, args := range [][]string{{"more"}, {"-targets", "plan9/amd64"}} {
		if code := run(t.Context(), args, &out, &talk); code != 2 || !strings.Contains(talk.String(), "usage: release") {
			t.Errorf("%q: exit status %d: %s", args, code, talk.String())
		}
	}
	root := checkout(t)
	if err := os.WriteFile(filepath.Join(root, "more.go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	talk.Reset()
	if code := run(t.Context(), []string{"-root", root, "-out", t.TempDir()}, &out, &talk); code != 1 || !strings.Contains(talk.String(), "something is not committed (?? more.go)") {
		t.Errorf("with a file that is in no commit: exit status %d: %s", code, talk.String())
	}
}
