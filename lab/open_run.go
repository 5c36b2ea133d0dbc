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
	"strconv"

	"tracelab/journey"
	"tracelab/journey/source"
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
		if exists(run.File(form)) {
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

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// File is where the spans of a form are.
func (r SavedRun) File(form services.Form) string {
	return filepath.Join(r.Dir, string(form)+spansSuffix)
}

// CheckForm tells whether the run has spans of a form.
func (r SavedRun) CheckForm(form services.Form) error {
	if slices.Contains(r.Forms, form) {
		return nil
	}
	names := make([]string, len(r.Forms))
	for i, f := range r.Forms {
		names[i] = string(f)
	}
	return &services.UnknownError{What: "form in " + r.Dir, Word: string(form), Known: names}
}

// Spans reads every span of the run, the shared ones too. The warnings are about damage that was passed over.
func (r SavedRun) Spans() (spans []journey.Span, warnings []string, err error) {
	var names []string
	if shared := filepath.Join(r.Dir, sharedName+spansSuffix); exists(shared) {
		names = append(names, shared)
	}
	for _, form := range r.Forms {
		names = append(names, r.File(form))
	}
	for _, name := range names {
		result, err := source.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		spans = append(spans, result.Spans...)
		for _, w := range result.Warnings {
			warnings = append(warnings, w.Text)
		}
	}
	return spans, warnings, nil
}

// Group reads the journeys of one form, without those that the run found incomplete. The warnings are about what was
// left out.
func (r SavedRun) Group(form services.Form) (group journey.Group, warnings []string, err error) {
	group.Name = filepath.Join(r.Dir, string(form))
	if err := r.CheckForm(form); err != nil {
		return group, nil, err
	}
	incomplete, err := r.incomplete(form)
	if err != nil {
		return group, nil, err
	}
	result, err := source.ReadFile(r.File(form))
	if err != nil {
		return group, nil, err
	}
	for _, w := range result.Warnings {
		warnings = append(warnings, w.Text)
	}
	set := journey.Normalise(result.Spans)
	for _, journey := range set.Journeys() {
		// By number, not by trace: what lost its cause is a journey of its own, in another trace than the order's.
		number, _ := set.Span(journey.Spans()[0]).Attr(services.KeyNumber)
		if !incomplete[number.String()] {
			group.Journeys = append(group.Journeys, journey)
		}
	}
	if len(incomplete) > 0 {
		warnings = append(warnings, fmt.Sprintf("%s: %d incomplete journeys are left out", group.Name, len(incomplete)))
	}
	return group, warnings, nil
}

// incomplete lists the numbers of the form's orders whose journeys are in no figure.
func (r SavedRun) incomplete(form services.Form) (numbers map[string]bool, err error) {
	name := filepath.Join(r.Dir, ordersFile)
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", r.Dir, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	numbers = map[string]bool{}
	decoder := json.NewDecoder(file)
	for line := 1; ; line++ {
		var o Order
		if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
			return numbers, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if o.Form == form && o.Incomplete != "" {
			numbers[strconv.Itoa(o.Number)] = true
		}
	}
}
