package rundir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/lab/rundir"
)

// document is a span of a form, from 1000 ns to 9000 ns after the beginning of a second.
const document = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"a",` +
	`"startTimeUnixNano":"1700000000000001000","endTimeUnixNano":"1700000000000009000"}]}]}]}`

// TestStarvedTimeIsKept: what a run writes of the CPU that it did not get is what is read, to the nanosecond, and cuts the work out of a form's paths.
func TestStarvedTimeIsKept(t *testing.T) {
	const second = 1_700_000_000_000_000_000
	for name, periods := range map[string][]journey.Period{"never": nil, "twice": {{From: second + 3000, To: second + 4001}, {From: second + 8999, To: second + 2e9}}} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			w, err := rundir.Create(out, "run")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Append("grpc", []byte(document)); err != nil {
				t.Fatal(err)
			}
			if err := w.Starved(periods); err != nil {
				t.Fatal(err)
			}
			if err := w.Commit(slices.Values([]rundir.Order{}), rundir.Provenance{Schema: rundir.Schema}); err != nil {
				t.Fatal(err)
			}
			run := open(t, filepath.Join(out, "run"))
			if got, err := run.Starved(); err != nil || !slices.Equal(got, periods) {
				t.Errorf("read %v, %v, want %v", got, err, periods)
			}
			group, _, err := run.Group("grpc")
			if err != nil {
				t.Fatal(err)
			}
			var text []string
			for _, g := range group.Journeys[0].CompletionPath() {
				kind := "work"
				if g.Wait {
					kind = g.Class.String()
				}
				text = append(text, kind+" "+g.End.String())
			}
			want := "work 8µs"
			if periods != nil {
				want = "work 2µs, starved 3.001µs, work 7.999µs, starved 8µs"
			}
			if got := strings.Join(text, ", "); got != want {
				t.Errorf("path %s, want %s", got, want)
			}
		})
	}
}

// TestDamagedStarvedTimesAreNamed: a file that cannot be read is an error, and not a run that was never starved.
func TestDamagedStarvedTimesAreNamed(t *testing.T) {
	dir := write(t, []string{"grpc"}, nil, "grpc")
	if err := os.WriteFile(filepath.Join(dir, "starved.jsonl"), []byte(`{"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:01Z"}`+"\n{"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := open(t, dir)
	if _, err := run.Starved(); err == nil || !strings.Contains(err.Error(), "starved.jsonl:2") {
		t.Errorf("starved times: %v", err)
	}
	if _, _, err := run.Group("grpc"); err == nil {
		t.Error("a group of a damaged run is read")
	}
}
