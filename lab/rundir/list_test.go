package rundir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/lab/rundir"
)

// began is when the first run of these tests began.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// folder makes a folder of runs, an hour apart, and returns it with their names, the newest first.
func folder(t *testing.T, n int) (out string, names []string) {
	t.Helper()
	out = t.TempDir()
	for i := range n {
		name := rundir.Name(began.Add(time.Duration(i)*time.Hour), uint64(i))
		w, err := rundir.Create(out, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"kafka", rundir.Shared, "grpc"} {
			if _, err := w.Append(form, []byte(`{"resourceSpans":[]}`)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(slices.Values([]rundir.Order{}), rundir.Provenance{Schema: rundir.Schema, Run: name, Flow: "order", FormOrder: []string{"grpc", "kafka"}}); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Reverse(names)
	return out, names
}

// put writes a file, and the folders above it.
func put(t *testing.T, text string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func namesOf(runs []rundir.Entry) (names []string) {
	for _, run := range runs {
		names = append(names, run.Name)
	}
	return names
}

func TestListOfRuns(t *testing.T) {
	out, names := folder(t, 3)
	runs, others, err := rundir.List(out)
	if err != nil || len(others) > 0 || !slices.Equal(namesOf(runs), names) {
		t.Fatalf("%v, others %v, runs %q, want %q", err, others, namesOf(runs), names)
	}
	if r := runs[2]; !r.Began.Equal(began) || r.Bytes < 60 || r.Flow != "order" || !slices.Equal(r.Forms, []string{"grpc", "kafka"}) {
		t.Errorf("%+v", r)
	}
	if _, _, err := rundir.List(filepath.Join(out, "nothing")); err == nil {
		t.Error("a folder that is not there")
	}
}

// TestWhatIsNoRunIsLeftAlone has things that look like runs: each is told with the reason, and none is removed.
func TestWhatIsNoRunIsLeftAlone(t *testing.T) {
	out, names := folder(t, 2)
	manifest, err := os.ReadFile(filepath.Join(out, names[0], "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	const other = "20260301-100000.000000-"
	put(t, "", out, "notes.txt")
	put(t, string(manifest), out, "before", "run.json")
	put(t, "{}", out, other+"1", "run.json")
	put(t, string(manifest), out, other+"2", "run.json")
	put(t, "", out, other+"3", "grpc.otlp.jsonl")
	put(t, "mine", out, names[1], "notes.txt")
	put(t, "", out, "claims-"+other+"1", "claims.json")
	if err := os.Symlink(names[0], filepath.Join(out, other+"4")); err != nil {
		t.Fatal(err)
	}
	runs, others, err := rundir.List(out)
	if err != nil || !slices.Equal(namesOf(runs), names[:1]) {
		t.Fatalf("%v, runs %q, want %q", err, namesOf(runs), names[:1])
	}
	want := map[string]string{
		"notes.txt": "not a directory", "before": "not named as a run", other + "1": "is not that of a run", other + "2": "is of the run", other + "3": "cannot be read",
		names[1]: "has notes.txt, which no run writes", "claims-" + other + "1": "not named as a run", other + "4": "not a directory",
	}
	for _, o := range others {
		if why, ok := want[o.Name]; !ok || !strings.Contains(o.Why, why) {
			t.Errorf("%s: %s, want %q", o.Name, o.Why, why)
		}
	}
	if len(others) != len(want) {
		t.Errorf("others %v, want %d", others, len(want))
	}
}

func TestRemovedRuns(t *testing.T) {
	out, names := folder(t, 3)
	put(t, "mine", out, "mine", "notes.txt")
	latest := filepath.Join(out, "latest")
	remove := func(n int) {
		t.Helper()
		runs, _, err := rundir.List(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := rundir.Remove(out, runs[:n]...); err != nil {
			t.Fatal(err)
		}
	}
	remove(1)
	if to, err := os.Readlink(latest); err != nil || to != names[1] {
		t.Errorf("latest leads to %s, %v: want the newest that is left, %s", to, err, names[1])
	}
	remove(2)
	left, err := os.ReadDir(out)
	if err != nil || len(left) != 1 || left[0].Name() != "mine" {
		t.Errorf("left is %v, %v: want what is no run", left, err)
	}
	if err := rundir.Remove(out, rundir.Entry{Name: "gone"}); err == nil || !strings.Contains(err.Error(), "remove run gone") {
		t.Errorf("one that is not there: %v", err)
	}
}

// TestNoFolderIsNoRunYet says what makes one.
func TestNoFolderIsNoRunYet(t *testing.T) {
	if _, _, err := rundir.List(filepath.Join(t.TempDir(), "runs")); err == nil || !strings.Contains(err.Error(), "tracelab run makes one") {
		t.Errorf("%v", err)
	}
}
