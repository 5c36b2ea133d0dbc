package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The files of a run directory.
const (
	manifestFile = "run.json"
	ordersFile   = "orders.jsonl"
	spansSuffix  = ".otlp.jsonl"
	sharedName   = "shared"
	latestLink   = "latest"
)

// runName is the name of a run and of its directory: when it began, and its seed. Services that several clients drive tell their orders apart by
// it, so it counts microseconds.
func runName(at time.Time, seed uint64) string {
	return at.UTC().Format("20060102-150405.000000") + "-" + strconv.FormatUint(seed, 10)
}

// prepareOut makes the directory of run directories and finds out whether it can be written to, before any order is
// placed.
func prepareOut(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("run directory %s cannot be made: choose another with --out: %w", out, err)
	}
	probe, err := os.CreateTemp(out, ".probe-*")
	if err != nil {
		return fmt.Errorf("run directory %s cannot be written to: choose another with --out: %w", out, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// write makes the run directory under a temporary name and renames it, so that a directory that exists is whole. Then
// it points "latest" at it.
func writeRun(out string, result *Result, orders []Order, spans sorted) (err error) {
	temporary, err := os.MkdirTemp(out, ".writing-*")
	if err != nil {
		return fmt.Errorf("run directory in %s: %w", out, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temporary))
		}
	}()
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("run directory in %s: %w", out, err)
	}
	for form, byNumber := range spans.forms {
		if err := writeSpans(filepath.Join(temporary, string(form)+spansSuffix), inOrder(byNumber)); err != nil {
			return err
		}
	}
	if spans.shared.SpanCount() > 0 { // without messages nothing is shared
		if err := writeSpans(filepath.Join(temporary, sharedName+spansSuffix), []ptrace.Traces{spans.shared}); err != nil {
			return err
		}
	}
	if err := writeLines(filepath.Join(temporary, ordersFile), len(orders), func(i int) ([]byte, error) { return json.Marshal(orders[i]) }); err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", manifestFile, err)
	}
	if err := os.WriteFile(filepath.Join(temporary, manifestFile), append(manifest, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", manifestFile, err)
	}
	if err := os.Rename(temporary, result.Dir); err != nil {
		return fmt.Errorf("run directory %s: %w", result.Dir, err)
	}
	return point(out, filepath.Base(result.Dir))
}

// point makes "latest" lead to the newest run, in one step.
func point(out, name string) error {
	link := filepath.Join(out, latestLink)
	next := link + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	if err := os.Symlink(name, next); err != nil {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	if err := os.Rename(next, link); err != nil {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	return nil
}

func inOrder(byNumber map[int]ptrace.Traces) []ptrace.Traces {
	list := make([]ptrace.Traces, 0, len(byNumber))
	for _, n := range sortedKeys(byNumber) {
		list = append(list, byNumber[n])
	}
	return list
}

// writeSpans writes one OTLP/JSON document a line.
func writeSpans(path string, documents []ptrace.Traces) error {
	var marshaler ptrace.JSONMarshaler
	return writeLines(path, len(documents), func(i int) ([]byte, error) { return marshaler.MarshalTraces(documents[i]) })
}

func writeLines(path string, n int, line func(i int) ([]byte, error)) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write run directory: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	for i := range n {
		text, err := line(i)
		if err != nil {
			return fmt.Errorf("encode line %d of %s: %w", i+1, filepath.Base(path), err)
		}
		// A bufio.Writer keeps its first error for Flush.
		_, _ = w.Write(text)
		_ = w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
