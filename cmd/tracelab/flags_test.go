package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// do runs `tracelab run` with one order, of the form grpc, unless the arguments say otherwise, and reads its report. The client waits longer than by default: on
// a machine that is busy answers come late.
func do(t *testing.T, args ...string) (lab.Result, int) {
	t.Helper()
	all := []string{"run", "--orders", "1", "--warm-up", "0", "--timeout", "30s", "--out", t.TempDir(), "--format", "json"}
	if !slices.Contains(args, "--forms") { // said again, it would add to these
		all = append(all, "--forms", "grpc")
	}
	var out, talk bytes.Buffer
	status := run(t.Context(), append(all, args...), nil, &out, &talk)
	var result lab.Result
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatalf("%q: exit status %d: %v: %s", args, status, err, talk.String())
	}
	return result, status
}

// spans lists the spans of one form of a run, or of all of it for "".
func spans(t *testing.T, result lab.Result, form services.Form) []journey.Span {
	t.Helper()
	saved, _, err := rundir.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := saved.Spans()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(s journey.Span) bool {
		of, ok := s.Attr(services.KeyForm)
		return form != "" && (!ok || of.String() != string(form))
	})
}

// named lists the spans of that name.
func named(all []journey.Span, name string) []journey.Span {
	return slices.DeleteFunc(slices.Clone(all), func(s journey.Span) bool { return s.Name != name })
}

func orders(t *testing.T, result lab.Result) []rundir.Order {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(result.Dir, "orders.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var list []rundir.Order
	for line := range bytes.Lines(text) {
		var o rundir.Order
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	return list
}

// TestEveryRunFlagMakesADifference has a case for each flag of `tracelab run`, and fails for a flag that has none.
func TestEveryRunFlagMakesADifference(t *testing.T) {
	cases := map[string]func(*testing.T){}
	for _, some := range []map[string]func(*testing.T){
		loadFlagCases(), waitFlagCases(), workFlagCases(), storeFlagCases(), troubleFlagCases(), brokerFlagCases(), spanFlagCases(), outputFlagCases(),
	} {
		maps.Copy(cases, some)
	}
	for _, name := range testkit.Few(12, slices.Sorted(maps.Keys(cases))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of a run is waiting
			cases[name](t)
		})
	}
	everyFlagHasACase(t, "run", cases)
}

// everyFlagHasACase compares the flags in a command's help with the cases that show what each does.
func everyFlagHasACase(t *testing.T, command string, cases map[string]func(*testing.T)) {
	t.Helper()
	var help bytes.Buffer
	run(t.Context(), []string{command, "--help"}, nil, &help, &help)
	for line := range strings.Lines(help.String()) {
		flag, ok := strings.CutPrefix(strings.TrimSpace(line), "--")
		if !ok {
			continue
		}
		flag = flag[:strings.IndexAny(flag+" ", "=[ \n")]
		if cases[flag] == nil && flag != "log-level" { // of all commands
			t.Errorf("no test shows that --%s makes a difference", flag)
		}
	}
}
