package rundir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/lab/rundir"
)

func TestOpenErrors(t *testing.T) {
	write := func(file, text string) string {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		path, want string // want "": no run directory, and no error
	}{
		"nothing there":   {filepath.Join(t.TempDir(), "nothing"), ""},
		"a file":          {filepath.Join(write("file", ""), "file"), ""},
		"no manifest":     {write("grpc.otlp.jsonl", "{}"), ""},
		"damaged":         {write("run.json", "{"), "run.json is damaged"},
		"another schema":  {write("run.json", `{"schema":"tracelab.run/v9"}`), `schema "tracelab.run/v9", this program reads tracelab.run/v1`},
		"no spans":        {write("run.json", `{"schema":"tracelab.run/v1"}`), "it has no spans of any form"},
		"not a manifest":  {write("run.json", `[]`), "run.json is damaged"},
		"an empty object": {write("run.json", `{}`), `schema ""`},
	} {
		_, ok, err := rundir.Open(c.path)
		if ok {
			t.Errorf("%s: is a run directory", name)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestFormsStandInTheirUsualOrder makes files of spans for forms that are known and one that is not, with and without a base.
func TestFormsStandInTheirUsualOrder(t *testing.T) {
	for base, want := range map[string][]string{
		"":      {"grpc", "rest", "kafka", "another", "other"},
		"kafka": {"kafka", "grpc", "rest", "another", "other"},
	} {
		run := open(t, write(t, []string{"other", "kafka", rundir.Shared, "rest", "another", "grpc"}, nil, base))
		if diff := cmp.Diff(want, run.Forms); diff != "" {
			t.Errorf("base %q (-want +got):\n%s", base, diff)
		}
	}
}

// TestAFormThatTheRunHasNot names those that it has.
func TestAFormThatTheRunHasNot(t *testing.T) {
	run := open(t, write(t, []string{"grpc", "rest"}, nil, ""))
	err := run.CheckForm("kafka")
	if err == nil || !strings.Contains(err.Error(), "use one of grpc, rest") {
		t.Errorf("%v", err)
	}
	if _, _, err := run.Group("../grpc"); err == nil {
		t.Error("a form outside the directory is read")
	}
}

// TestOrdersAreReadBack also finds a damaged line by its number.
func TestOrdersAreReadBack(t *testing.T) {
	want := []rundir.Order{{Form: "grpc", Number: 1, Status: 201}, {Form: "rest", Number: 2, Hit: []string{"payment:delay=1s"}, Outcome: "failed"}}
	run := open(t, write(t, []string{"grpc"}, want, ""))
	read := func() (got []rundir.Order, err error) {
		err = run.Orders(func(o rundir.Order) { got = append(got, o) })
		return got, err
	}
	got, err := read()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	file := filepath.Join(run.Dir, "orders.jsonl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "{\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); err == nil || !strings.Contains(err.Error(), "orders.jsonl:3:") {
		t.Errorf("a damaged line: %v", err)
	}
}

func open(t *testing.T, dir string) rundir.Run {
	t.Helper()
	run, ok, err := rundir.Open(dir)
	if err != nil || !ok {
		t.Fatalf("open %s: %v, a run directory: %v", dir, err, ok)
	}
	return run
}

// write makes a run directory with one empty document for each of the forms.
func write(t *testing.T, forms []string, orders []rundir.Order, base string) string {
	t.Helper()
	out := t.TempDir()
	w, err := rundir.Create(out, "run")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms {
		if _, err := w.Append(form, []byte(`{"resourceSpans":[]}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(slices.Values(orders), rundir.Provenance{Schema: rundir.Schema, Base: base}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, "run")
}
