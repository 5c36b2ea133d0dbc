package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tracelab/compare"
	"tracelab/compare/source"
	"tracelab/services"
)

// SavedRun is a run directory that is being read.
type SavedRun struct {
	Dir   string
	Forms []services.Form // that have spans; the one that the others are compared with comes first
}

// OpenRun opens a run directory; ok is false when the path is none (a file, or a directory without a manifest).
func OpenRun(path string) (run SavedRun, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(path, manifestFile))
	if errors.Is(err, fs.ErrNotExist) || err != nil && !isDir(path) {
		return run, false, nil
	}
	if err != nil {
		return run, false, fmt.Errorf("open run %s: %w", path, err)
	}
	var manifest struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return run, false, fmt.Errorf("open run %s: %s is damaged: %w", path, manifestFile, err)
	}
	if manifest.Schema != Schema {
		return run, false, fmt.Errorf("open run %s: %s has schema %q, this program reads %s", path, manifestFile, manifest.Schema, Schema)
	}
	run.Dir = path
	for _, form := range services.Forms() {
		if _, err := os.Stat(run.file(form)); err == nil {
			run.Forms = append(run.Forms, form)
		}
	}
	if len(run.Forms) == 0 {
		return run, false, fmt.Errorf("open run %s: it has no spans of any form", path)
	}
	run.Forms = baseFirst(run.Forms)
	return run, true, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (r SavedRun) file(form services.Form) string {
	return filepath.Join(r.Dir, string(form)+spansSuffix)
}

// Group reads the journeys of one form, without those that the run found incomplete. The warnings are about what was
// left out.
func (r SavedRun) Group(form services.Form) (group compare.Group, warnings []string, err error) {
	group.Name = filepath.Join(r.Dir, string(form))
	if !slices.Contains(r.Forms, form) {
		names := make([]string, len(r.Forms))
		for i, f := range r.Forms {
			names[i] = string(f)
		}
		return group, nil, &services.UnknownError{What: "form in " + r.Dir, Word: string(form), Known: names}
	}
	incomplete, err := r.incomplete(form)
	if err != nil {
		return group, nil, err
	}
	result, err := source.ReadFile(r.file(form))
	if err != nil {
		return group, nil, err
	}
	for _, w := range result.Warnings {
		warnings = append(warnings, w.Text)
	}
	for _, journey := range compare.Normalise(result.Spans).Journeys() {
		if !incomplete[journey.Traces()[0].String()] {
			group.Journeys = append(group.Journeys, journey)
		}
	}
	if len(incomplete) > 0 {
		warnings = append(warnings, fmt.Sprintf("%s: %d incomplete journeys are left out", group.Name, len(incomplete)))
	}
	return group, warnings, nil
}

// incomplete lists the traces of the form's orders whose journeys are in no figure.
func (r SavedRun) incomplete(form services.Form) (traces map[string]bool, err error) {
	name := filepath.Join(r.Dir, ordersFile)
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", r.Dir, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	traces = map[string]bool{}
	decoder := json.NewDecoder(file)
	for line := 1; ; line++ {
		var o Order
		if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
			return traces, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if o.Form == form && o.Incomplete != "" {
			traces[o.Trace] = true
		}
	}
}
