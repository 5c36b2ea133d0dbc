package rundir_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/lab/rundir"
)

// spanOf is a document of one span: its trace and its id are numbers, and so are those of the spans that it links to.
func spanOf(trace, id int, links ...[2]int) []byte {
	var to []string
	for _, l := range links {
		to = append(to, fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x"}`, l[0], l[1]))
	}
	return fmt.Appendf(nil, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","name":"s%d","startTimeUnixNano":"1","endTimeUnixNano":"2","links":[%s]}]}]}]}`,
		trace, id, id, strings.Join(to, ","))
}

// TestAFormHasTheSharedSpansBehindIt: what a form's journeys led to in other traces is read with it, though it does not say whose it is; what other forms'
// journeys led to is not.
func TestAFormHasTheSharedSpansBehindIt(t *testing.T) {
	out := t.TempDir()
	w, err := rundir.Create(out, "run")
	if err != nil {
		t.Fatal(err)
	}
	for form, documents := range map[string][][]byte{
		"kafka":  {spanOf(1, 10), spanOf(2, 20, [2]int{8, 80})},
		"hybrid": {spanOf(5, 50)},
		rundir.Shared: {
			spanOf(4, 40, [2]int{3, 30}), // linked to what comes behind it in the file
			spanOf(3, 30, [2]int{1, 10}), // in a trace that links to one of kafka
			spanOf(3, 31),                // beside it
			spanOf(1, 11),                // in a trace of kafka
			spanOf(8, 80),                // that kafka links to
			spanOf(6, 60, [2]int{5, 50}), // in a trace that links to one of hybrid
			spanOf(7, 70),                // of nobody
		},
	} {
		for _, document := range documents {
			if _, err := w.Append(form, document); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Commit(slices.Values([]rundir.Order{}), rundir.Provenance{Schema: rundir.Schema}); err != nil {
		t.Fatal(err)
	}
	run := open(t, filepath.Join(out, "run"))
	for form, want := range map[string][]string{"kafka": {"s10", "s11", "s20", "s30", "s31", "s40", "s80"}, "hybrid": {"s50", "s60"}} {
		read, err := run.ReadForm(form)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range read.Spans {
			got = append(got, s.Name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
}
