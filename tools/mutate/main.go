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
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// minTimeout is the shortest timeout of a run of a package's tests: several times what they take with nothing broken.
const minTimeout = time.Minute

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
	packages := make(map[string]*tests)
	for _, m := range mutations() {
		if !strings.Contains(m.rule, rule) {
			continue
		}
		began := time.Now()
		noticed, by, err := try(ctx, m, packages)
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
func try(ctx context.Context, m mutation, packages map[string]*tests) (noticed bool, by string, err error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return false, "", fmt.Errorf("read the file to mutate: %w", err)
	}
	if n := bytes.Count(text, []byte(m.from)); n != 1 {
		return false, "", fmt.Errorf("%s has %d times %q, once is needed: bring the mutation up to date", m.file, n, m.from)
	}
	folder := filepath.Dir(m.file)
	p := packages[folder]
	if p == nil {
		if p, err = unbroken(ctx, folder); err != nil {
			return false, "", err
		}
		packages[folder] = p
	}
	overlay, clean, err := overlay(m.file, bytes.Replace(text, []byte(m.from), []byte(m.to), 1))
	if err != nil {
		return false, "", err
	}
	defer clean()
	return p.fail(ctx, overlay)
}

// overlay writes the mutated file and the list that tells the go command to take it for the real one.
func overlay(file string, text []byte) (list string, clean func(), err error) {
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return "", nil, fmt.Errorf("a folder for the mutated file: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) } // in a temporary folder, a failure does no harm
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
