package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

// asProgram is the variable that makes the test's binary the program itself, for tests that need a process of it.
const asProgram = "TEST_AS_PROGRAM"

// TestMain finds goroutines that a command has left behind.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	// A setting of whoever runs the tests is no setting of the tests.
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if slices.Contains([]string{"LC_ALL", "LC_CTYPE", "LANG"}, name) || strings.HasPrefix(name, "TRACELAB_") || strings.HasPrefix(name, "OTEL_") {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	testmain.Waiting()
	goleak.VerifyTestMain(m, testmain.Hops(), goleak.Cleanup(testmain.Exit))
}

// TestScripts runs the sessions of testdata/script. They begin with three runs that are there already: RUN has eight
// orders of each form, OTHER the same orders of grpc and kafka with a slow payment, ONE has one order of one form. They are
// on time; LATE is RUN, and was late. CASES are the judge's cases. Files are named by absolute paths ($WORK, $RUN): the scripts share the working directory of this process.
//
//	tracelab ARG…          runs the program in this process; it must exit with 0, with ! it must not
//	exits STATUS ARG…      runs it; it must exit with that status
//	feed FILE ARG…         runs it with the file as its standard input
//	with FILE ARG…         runs it with what the file says as its last argument
//	oneline                checks that it wrote one line to standard error
func TestScripts(t *testing.T) {
	t.Parallel()
	runs := record(t)
	start := func(ts *testscript.TestScript, in io.Reader, args []string) int {
		return run(t.Context(), args, in, ts.Stdout(), ts.Stderr())
	}
	done := func(ts *testscript.TestScript, neg bool, status int) {
		if (status != exitDone) != neg {
			ts.Fatalf("exit status %d", status)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for name, dir := range runs { // a copy: a script may do to it what it likes
				own := filepath.Join(env.WorkDir, strings.ToLower(name))
				if err := os.CopyFS(own, os.DirFS(dir)); err != nil {
					return err
				}
				env.Setenv(name, own)
			}
			cases, err := filepath.Abs(caseFiles)
			env.Setenv("CASES", cases)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tracelab": func(ts *testscript.TestScript, neg bool, args []string) { done(ts, neg, start(ts, nil, args)) },
			"feed": func(ts *testscript.TestScript, neg bool, args []string) {
				done(ts, neg, start(ts, strings.NewReader(ts.ReadFile(args[0])), args[1:]))
			},
			"with": func(ts *testscript.TestScript, neg bool, args []string) {
				done(ts, neg, start(ts, nil, append(args[1:], ts.ReadFile(args[0]))))
			},
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := strconv.Itoa(start(ts, nil, args[1:])); got != args[0] {
					ts.Fatalf("exit status %s, want %s", got, args[0])
				}
			},
			"oneline": func(ts *testscript.TestScript, _ bool, _ []string) {
				if text := ts.ReadFile("stderr"); strings.Count(text, "\n") != 1 {
					ts.Fatalf("not one line: %q", text)
				}
			},
		},
	})
}

// record makes the runs that scripts begin with, once for all of them, and returns their directories.
func record(t *testing.T) map[string]string {
	t.Helper()
	dirs := map[string]string{}
	for name, args := range map[string]string{
		"RUN":   "--orders 8 --warm-up 0",
		"OTHER": "--orders 8 --warm-up 1 --forms grpc,kafka --fault payment:delay=40ms",
		"ONE":   "--orders 1 --warm-up 0 --forms rest",
	} {
		var report, talk bytes.Buffer
		out := t.TempDir()
		if status := run(t.Context(), append([]string{"run", "--out", out}, strings.Fields(args)...), nil, &report, &talk); status != exitDone {
			t.Fatalf("run %s: exit status %d: %s%s", args, status, report.String(), talk.String())
		}
		dir, err := filepath.EvalSymlinks(filepath.Join(out, "latest"))
		if err != nil {
			t.Fatal(err)
		}
		setDoubts(t, dir, 0, 0) // whatever else this machine did meanwhile
		dirs[name] = dir
	}
	dirs["LATE"] = filepath.Join(t.TempDir(), filepath.Base(dirs["RUN"]))
	if err := os.CopyFS(dirs["LATE"], os.DirFS(dirs["RUN"])); err != nil {
		t.Fatal(err)
	}
	setDoubts(t, dirs["LATE"], 18.8, 0)
	return dirs
}

// setDoubts writes in a run's manifest how late its generator was, and for which share of the time its process got no CPU, but not when. A run whose generator
// was late did not get warm, either.
func setDoubts(t *testing.T, dir string, startLagMS, starved float64) {
	t.Helper()
	name := filepath.Join(dir, "run.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for part, to := range map[string]map[string]any{"generator": {"start_lag_p99_ms": startLagMS}, "starvation": {"share": starved},
		"warm_up": {"windows": 8, "warm": startLagMS == 0, "why": "the medians still differ"}} {
		of, ok := manifest[part].(map[string]any)
		if !ok {
			t.Fatalf("%s has no %s", name, part)
		}
		maps.Copy(of, to)
	}
	if text, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	forgetStarved(t, dir)
}

// forgetStarved makes a run one whose process always got its CPU.
func forgetStarved(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "starved.jsonl")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
