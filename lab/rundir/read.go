package rundir

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/source"
)

// Run is a run directory that is being read.
type Run struct {
	Dir   string   // as it was named
	Forms []string // that have spans; the one that the others are compared with comes first
	Provenance
}

// Open opens a run directory; ok is false when the path is none (a file, or a directory without a manifest).
func Open(path string) (run Run, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(path, manifestFile))
	if errors.Is(err, fs.ErrNotExist) || err != nil && !isDir(path) {
		return run, false, nil
	}
	if err != nil {
		return run, false, fmt.Errorf("open run %s: %w", path, err)
	}
	if err := json.Unmarshal(text, &run.Provenance); err != nil {
		return run, false, fmt.Errorf("open run %s: %s is damaged: %w", path, manifestFile, err)
	}
	if run.Schema != Schema {
		return run, false, fmt.Errorf("open run %s: %s has schema %q, this program reads %s", path, manifestFile, run.Schema, Schema)
	}
	run.Dir = path
	if run.Forms, err = formsIn(path, run.Base); err != nil {
		return run, false, fmt.Errorf("open run %s: %w", path, err)
	}
	if len(run.Forms) == 0 {
		return run, false, fmt.Errorf("open run %s: it has no spans of any form", path)
	}
	return run, true, nil
}

// formsIn lists the forms that have a file of spans: the base first, then the usual ones in their usual order.
func formsIn(dir, base string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var forms []string
	for _, e := range entries {
		if form, ok := strings.CutSuffix(e.Name(), spansSuffix); ok && form != Shared {
			forms = append(forms, form)
		}
	}
	usual := []string{base, "grpc", "rest", "kafka", "hybrid"}
	rank := func(form string) int {
		if i := slices.Index(usual, form); i >= 0 {
			return i
		}
		return len(usual)
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b)) })
	return forms, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// File returns the path of a form's spans.
func (r Run) File(form string) string { return filepath.Join(r.Dir, form+spansSuffix) }

// CheckForm returns an UnknownFormError unless the run has spans of the form.
func (r Run) CheckForm(form string) error {
	if slices.Contains(r.Forms, form) {
		return nil
	}
	return &UnknownFormError{Dir: r.Dir, Form: form, Known: r.Forms}
}

// MissingForms are the forms of the run that have no spans in its directory.
func (r Run) MissingForms() []string {
	return slices.DeleteFunc(slices.Clone(r.FormOrder), func(form string) bool { return slices.Contains(r.Forms, form) })
}

// Spans reads every span of the run, the shared ones too. The warnings are about damage that was passed over.
func (r Run) Spans() (spans []journey.Span, warnings []journey.Warning, err error) {
	all, err := r.Read()
	return all.Spans, all.Warnings, err
}

// Read is Spans, and tells of which traces something was passed over.
func (r Run) Read() (all source.Result, err error) {
	if all, err = r.readShared(); err != nil {
		return all, err
	}
	for _, form := range r.Forms {
		result, err := source.ReadFile(r.File(form))
		if err != nil {
			return all, err
		}
		all.Add(result)
	}
	return all, nil
}

// ReadForm is Read for one form: its spans, and the shared ones that belong to it: of its traces, and of traces that link to these, one after another, or
// that its spans link to. They say of no order because their service did not hear of it.
func (r Run) ReadForm(form string) (source.Result, error) {
	own, err := source.ReadFile(r.File(form))
	if err != nil {
		return own, err
	}
	shared, err := r.readShared()
	if err != nil || len(shared.Spans) == 0 {
		return own, err
	}
	traces := reachedFrom(own.Spans, shared.Spans)
	shared.Spans = slices.DeleteFunc(shared.Spans, func(s journey.Span) bool { return !traces[s.Trace] })
	own.Add(shared)
	return own, nil
}

// reachedFrom are the traces of a form's own spans, those that they link to, and those of shared spans that link to one of all these.
func reachedFrom(own, shared []journey.Span) map[journey.TraceID]bool {
	reached := map[journey.TraceID]bool{}
	for _, s := range own {
		reached[s.Trace] = true
		for _, l := range s.Links {
			reached[l.Trace] = true
		}
	}
	linking := map[journey.TraceID][]journey.TraceID{} // by the trace that is linked to
	for _, s := range shared {
		for _, l := range s.Links {
			linking[l.Trace] = append(linking[l.Trace], s.Trace)
		}
	}
	for next := slices.Collect(maps.Keys(reached)); len(next) > 0; {
		last := len(next) - 1
		from := linking[next[last]]
		next = next[:last]
		for _, trace := range from {
			if !reached[trace] {
				reached[trace] = true
				next = append(next, trace)
			}
		}
	}
	return reached
}

// readShared reads the shared spans: none where no message was sent.
func (r Run) readShared() (source.Result, error) {
	shared, err := source.ReadFile(r.File(Shared))
	if errors.Is(err, fs.ErrNotExist) {
		return source.Result{}, nil
	}
	return shared, err
}

// Group reads the journeys of one form. Those that the run found incomplete are so: see journey.Journey.Incomplete. The warnings
// are about damage that was passed over.
func (r Run) Group(form string, opts ...journey.Option) (group compare.Group, warnings []journey.Warning, err error) {
	group.Name, group.Doubt = filepath.Join(r.Dir, form), r.Doubt()
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
	// By number, not by trace: what lost its cause is a journey of its own, in another trace than the order's.
	why := func(j *journey.Journey) string {
		number, _ := j.Set().Span(j.Spans()[0]).Attr(NumberKey)
		return incomplete[number.String()]
	}
	starved, err := r.Starved()
	if err != nil {
		return group, nil, err
	}
	opts = append(slices.Clip(opts), journey.Damaged(result.DamagedTraces...), journey.Starved(starved...))
	if len(incomplete) > 0 {
		opts = append(opts, journey.Missing(why))
	}
	group.Journeys = journey.NewSet(result.Spans, opts...).Journeys()
	return group, result.Warnings, nil
}

// incomplete tells by the numbers of the form's orders why their journeys are in no figure.
func (r Run) incomplete(form string) (map[string]string, error) {
	reasons := map[string]string{}
	err := r.Orders(func(o Order) {
		if o.Form == form && o.Incomplete != "" {
			reasons[strconv.Itoa(o.Number)] = o.Incomplete
		}
	})
	return reasons, err
}

// Orders calls each with every order of the run, in the order in which they were placed.
func (r Run) Orders(each func(Order)) error {
	if err := readLines(filepath.Join(r.Dir, ordersFile), each); err != nil {
		return fmt.Errorf("open run %s: %w", r.Dir, err)
	}
	return nil
}

// readLines calls each with what every line of a file has as JSON.
func readLines[T any](name string, each func(T)) (err error) {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	decoder := json.NewDecoder(file)
	for line := 1; ; line++ {
		var one T
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s:%d: %w", filepath.Base(name), line, err)
		}
		each(one)
	}
}
