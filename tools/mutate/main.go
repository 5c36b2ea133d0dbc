// Command mutate breaks the judge on purpose, one line at a time, and sees whether a test of its package notices: a rule
// that can be broken without any test failing is a rule that nothing holds. Nothing in the checkout changes: the broken
// file is laid over the real one for that one test run.
//
//	go run ./tools/mutate            # all mutations; exit 1 when one survives
//	go run ./tools/mutate -rule path # those whose rule contains the word
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long one test run may take; a mutation that makes the tests hang is noticed.
const patience = time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	rule := flag.String("rule", "", "only mutations whose rule contains this")
	flag.Parse()
	survivors, err := run(ctx, *rule, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case survivors > 0:
		os.Exit(1)
	}
}

// run tries the mutations and counts those that no test notices.
func run(ctx context.Context, rule string, out io.Writer) (survivors int, err error) {
	tried := 0
	for _, m := range mutations() {
		if !strings.Contains(m.rule, rule) {
			continue
		}
		began := time.Now()
		noticed, by, err := try(ctx, m)
		if err != nil {
			return survivors, fmt.Errorf("%s: %w", m.rule, err)
		}
		tried++
		verdict := "noticed by " + by
		if !noticed {
			verdict = "SURVIVED: no test fails"
			survivors++
		}
		if _, err := fmt.Fprintf(out, "%-70s %s (%.1f s)\n", m.rule, verdict, time.Since(began).Seconds()); err != nil {
			return survivors, err
		}
	}
	if tried == 0 {
		return 0, fmt.Errorf("no mutation is about %q", rule)
	}
	_, err = fmt.Fprintf(out, "%d mutations, %d survived\n", tried, survivors)
	return survivors, err
}

// try runs the package's tests with the mutation laid over its file. A mutation that does not compile, or whose line is
// not there exactly once, is an error: it would show nothing.
func try(ctx context.Context, m mutation) (noticed bool, by string, err error) {
	file := filepath.Join(folder, m.file)
	text, err := os.ReadFile(file)
	if err != nil {
		return false, "", fmt.Errorf("read the file to mutate: %w", err)
	}
	if n := bytes.Count(text, []byte(m.from)); n != 1 {
		return false, "", fmt.Errorf("%s has %d times %q, once is needed: bring the mutation up to date", file, n, m.from)
	}
	overlay, clean, err := overlay(file, bytes.Replace(text, []byte(m.from), []byte(m.to), 1))
	if err != nil {
		return false, "", err
	}
	defer clean()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	output, err := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-failfast", "./"+folder, "-rapid.nofailfile").CombinedOutput()
	if err == nil {
		return false, "", nil
	}
	if bytes.Contains(output, []byte("[build failed]")) {
		return false, "", fmt.Errorf("the mutation does not compile:\n%s", output)
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false, "", context.Cause(ctx)
	}
	return true, firstFailure(output), nil
}

// overlay writes the mutated file and the list that tells the go command to take it for the real one.
func overlay(file string, text []byte) (list string, clean func(), err error) {
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return "", nil, fmt.Errorf("a folder for the mutated file: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) } // it is the system's folder for what may be forgotten
	mutated := filepath.Join(dir, filepath.Base(file))
	list = filepath.Join(dir, "overlay.json")
	absolute, err := filepath.Abs(file)
	if err == nil {
		err = os.WriteFile(mutated, text, 0o600)
	}
	if err == nil {
		var document []byte
		if document, err = json.Marshal(map[string]any{"Replace": map[string]string{absolute: mutated}}); err == nil {
			err = os.WriteFile(list, document, 0o600)
		}
	}
	if err != nil {
		clean()
		return "", nil, fmt.Errorf("lay a mutation over %s: %w", file, err)
	}
	return list, clean, nil
}

// firstFailure is the name of the first test that failed.
func firstFailure(output []byte) string {
	for line := range bytes.Lines(output) {
		if name, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("--- FAIL: ")); ok {
			name, _, _ = bytes.Cut(name, []byte(" "))
			return string(name)
		}
	}
	return "a crash or a timeout"
}
