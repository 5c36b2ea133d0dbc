package traceset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// traceFiles lists the endings by which files of a folder are taken for traces; each may be followed by .gz.
var traceFiles = []string{".json", ".jsonl", ".ndjson", ".pb", ".binpb", ".otlp"}

// folder makes one input of the trace files in a folder.
func (r *Resolver) folder(name string) ([]Input, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, unread(err)
	}
	var files []string
	for _, e := range entries {
		ending := filepath.Ext(strings.TrimSuffix(e.Name(), ".gz"))
		if info, err := os.Stat(filepath.Join(name, e.Name())); err == nil && info.IsDir() { // a link to one, too, which may lead back here
			continue
		}
		if !strings.HasPrefix(e.Name(), ".") && slices.Contains(traceFiles, ending) {
			files = append(files, filepath.Join(name, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, unread(fmt.Errorf("%s is a directory without a run.json and without trace files (%s): name a run directory, such as runs/latest, a folder of traces, or a file", name, strings.Join(traceFiles, ", ")))
	}
	return r.joined(name, files)
}

// isPattern tells a shell pattern from the name of a file that happens to have a bracket in it and is not there.
func isPattern(name string) bool {
	_, err := filepath.Match(name, "")
	return err == nil && strings.ContainsAny(name, "*?[")
}

// pattern makes one input of all files that match a quoted shell pattern, in alphabetical order.
func (r *Resolver) pattern(name string) ([]Input, error) {
	files, err := filepath.Glob(name)
	if err != nil {
		return nil, unread(fmt.Errorf("%s: %w", name, err))
	}
	if len(files) == 0 {
		return nil, unread(fmt.Errorf("%s: no file matches this pattern", name))
	}
	return r.joined(name, files)
}

// joined makes one input of several names.
func (r *Resolver) joined(label string, names []string) ([]Input, error) {
	var parts []Input
	for _, name := range names {
		if name == "" || strings.Contains(name, ",") {
			return nil, unread(fmt.Errorf("%s: a comma joins files of one side, and %q is none", label, name))
		}
		some, err := r.resolve(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, some...)
	}
	if len(parts) == 1 {
		return parts, nil
	}
	for _, part := range parts {
		switch part := part.(type) {
		case Run:
			return nil, &StandsBesideError{part}
		case Baseline:
			return nil, unread(fmt.Errorf("%s is a baseline, which cannot be joined with traces: name it alone", part.path))
		}
	}
	return []Input{Joined{Parts: parts, Label: label, options: r.options()}}, nil
}

// file tells a baseline from traces by its beginning.
func (r *Resolver) file(name string) ([]Input, error) {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return []Input{File{r, name}}, unread(err) // a pipe is read once, and to open it may take until somebody writes
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, unread(err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	beginning, err := bufio.NewReader(io.LimitReader(file, 64)).Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unread(fmt.Errorf("%s: %w", name, err))
	}
	if compare.IsBaseline(beginning) {
		return []Input{Baseline{name}}, nil
	}
	return []Input{File{r, name}}, nil
}

// Baseline is a baseline that compare --save wrote.
type Baseline struct{ path string }

// Name is the path.
func (s Baseline) Name() string { return s.path }

// About is nothing: the name says it.
func (s Baseline) About() []string { return nil }

// Spans fails: a baseline has none.
func (s Baseline) Spans(context.Context) (Spans, error) {
	return Spans{}, unread(fmt.Errorf("%s is a baseline, which has no spans: compare reads it, as the first input", s.path))
}

// Group reads the baseline.
func (s Baseline) Group(context.Context) (compare.Group, []journey.Warning, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return compare.Group{}, nil, unread(err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	b, err := compare.ReadBaseline(file)
	if err != nil {
		return compare.Group{}, nil, unread(fmt.Errorf("%s: %w", s.path, err))
	}
	group := b.Group()
	group.Name = s.path
	return group, nil, nil
}
