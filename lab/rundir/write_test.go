package rundir_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tracelab/lab/rundir"
)

// TestDocumentsAreReadBackWhileOthersAreWritten takes turns at writing and reading.
func TestDocumentsAreReadBackWhileOthersAreWritten(t *testing.T) {
	w, err := rundir.Create(t.TempDir(), "run")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Abandon() }()
	places := map[string]rundir.Place{}
	for i := range 100 {
		form := []string{"grpc", rundir.Shared}[i%2]
		text := fmt.Sprintf("document %d, %s", i, strings.Repeat("x", i*i))
		if places[text], err = w.Append(form, []byte(text)); err != nil {
			t.Fatal(err)
		}
		for text, at := range places {
			if !strings.HasPrefix(text, fmt.Sprintf("document %d,", i-i%2)) {
				continue
			}
			if got, err := w.ReadAt("grpc", at); err != nil || string(got) != text {
				t.Fatalf("read back %.20q, %v, want %.20q", got, err, text)
			}
		}
	}
	if _, err := w.ReadAt("rest", rundir.Place{}); err == nil {
		t.Error("a form without spans is read")
	}
}

// TestADirectoryWithItsNameIsWhole finds nothing but a temporary directory before the end, and nothing at all after a failure.
func TestADirectoryWithItsNameIsWhole(t *testing.T) {
	out := t.TempDir()
	begin := func() *rundir.Writer {
		t.Helper()
		w, err := rundir.Create(out, "run")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Append("grpc", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := begin()
	if names := list(t, out); len(names) != 1 || !strings.HasPrefix(names[0], ".writing-") {
		t.Errorf("while it is written: %q", names)
	}
	if err := w.Abandon(); err != nil || len(list(t, out)) != 0 {
		t.Errorf("abandoned: %v, %q", err, list(t, out))
	}
	if err := begin().Commit(slices.Values([]rundir.Order{}), math.NaN()); err == nil || len(list(t, out)) != 0 {
		t.Errorf("a manifest that JSON cannot hold: %v, %q", err, list(t, out))
	}
	if err := begin().Commit(slices.Values([]rundir.Order{}), rundir.Provenance{}); err != nil || !slices.Equal(list(t, out), []string{"latest", "run"}) {
		t.Errorf("committed: %v, %q", err, list(t, out))
	}
	if err := begin().Commit(slices.Values([]rundir.Order{}), rundir.Provenance{}); !errors.Is(err, os.ErrExist) || len(list(t, out)) != 2 {
		t.Errorf("a name that is taken: %v, %q", err, list(t, out))
	}
}

// TestFormsThatAreNoFileNames are refused.
func TestFormsThatAreNoFileNames(t *testing.T) {
	out := t.TempDir()
	w, err := rundir.Create(out, "run")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Abandon() }()
	for _, form := range []string{"", ".", "..", "../grpc", "a/b", ".hidden", "/grpc"} {
		if _, err := w.Append(form, []byte("{}")); err == nil {
			t.Errorf("%q is taken", form)
		}
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = filepath.Base(e.Name())
	}
	return names
}

// TestAWriterThatWasNotCreated writes nothing, least of all to the working directory.
func TestAWriterThatWasNotCreated(t *testing.T) {
	t.Chdir(t.TempDir())
	var w rundir.Writer
	_, appending := w.Append("grpc", []byte("{}"))
	_, reading := w.ReadAt("grpc", rundir.Place{})
	if committing := w.Commit(nil, nil); appending == nil || reading == nil || committing == nil {
		t.Errorf("%v, %v, %v: want errors", appending, reading, committing)
	}
	if err := w.Abandon(); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
		t.Errorf("it left %v, %v", files, err)
	}
}
