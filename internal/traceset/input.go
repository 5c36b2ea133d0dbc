// Package traceset finds out what a command line names (a run directory, a form of one, a file, traces in a Jaeger) and reads its spans.
package traceset

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/source"
	"tracelab/lab/rundir"
)

// Input is one trace set that a command line names.
type Input interface {
	// Name is what the set is called in a report.
	Name() string
	// Spans reads every span of the set, those of no journey too.
	Spans(ctx context.Context) (Spans, error)
	// Group reads the journeys of the set. The warnings are about the input, not about the journeys.
	Group(ctx context.Context) (group compare.Group, warnings []journey.Warning, err error)
	// About says where the traces come from, a line each.
	About() []string
}

// Spans are the spans of an input, and what a store says of spans that they refer to and that are not there.
type Spans struct {
	Spans    []journey.Span
	Warnings []journey.Warning
	Damaged  []journey.TraceID                 // traces of which a part could not be read
	absence  func(journey.Ref) journey.Absence // nil when no store was asked
	doubt    string                            // why times are not only the system's, "" when nothing is known
	starved  []journey.Period                  // when the process that made them did not get the CPU that it needed
}

// Absence says why a span is not there.
func (s Spans) Absence(r journey.Ref) journey.Absence {
	if s.absence == nil {
		return journey.AbsenceUnknown
	}
	return s.absence(r)
}

// ReadError reports an input that could not be read.
type ReadError struct{ Err error }

// Error returns the text of Err.
func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ReadError) Unwrap() error { return e.Err }

// unread makes a *ReadError of an error; nil stays nil.
func unread(err error) error {
	if err == nil {
		return nil
	}
	return &ReadError{err}
}

// Set joins the spans.
func (s Spans) Set(opts ...journey.Option) *journey.Set {
	return journey.NewSet(s.Spans, append(slices.Clip(opts), journey.Damaged(s.Damaged...), journey.Starved(s.starved...))...)
}

// groupOf makes a group of the journeys of spans.
func groupOf(name string, spans Spans, opts []journey.Option) (compare.Group, []journey.Warning) {
	set := spans.Set(opts...)
	return compare.Group{Name: name, Journeys: set.Journeys(), Doubt: spans.doubt}, append(spans.Warnings, set.Warnings()...)
}

// Run is a run directory.
type Run struct {
	rundir.Run
	options []journey.Option
}

// Name returns the run's own name, whatever link led to it.
func (r Run) Name() string { return nameOf(r.Run) }

// nameOf returns the name of a run's directory, not of a link such as runs/latest.
func nameOf(r rundir.Run) string {
	if r.Run != "" {
		return r.Run
	}
	return filepath.Base(r.Dir)
}

// Spans reads all forms and the shared spans.
func (r Run) Spans(context.Context) (Spans, error) {
	all, err := r.Read()
	return ofRun(r.Run, all, err)
}

// Group reads all forms as one group.
func (r Run) Group(ctx context.Context) (compare.Group, []journey.Warning, error) {
	spans, err := r.Spans(ctx)
	if err != nil {
		return compare.Group{}, nil, err
	}
	group, warnings := groupOf(r.Name(), spans, r.options)
	return group, warnings, nil
}

// About is the run's provenance.
func (r Run) About() []string { return about(r.Run) }

// Form returns one form of the run. A form that the run does not have is an error that lists those it has.
func (r Run) Form(name string) (Form, error) {
	if err := r.CheckForm(name); err != nil {
		return Form{}, err
	}
	return Form{Run: r, Form: name}, nil
}

// Form is one form of a run directory.
type Form struct {
	Run  Run
	Form string
	// Short leaves the run out of the name, where every form is of the same run.
	Short bool
}

// Name is RUN/FORM.
func (f Form) Name() string {
	if f.Short {
		return f.Form
	}
	return filepath.Join(f.Run.Name(), f.Form)
}

// Spans reads the form's spans, also those of its traces that do not say of which order they are.
func (f Form) Spans(context.Context) (Spans, error) {
	result, err := f.Run.ReadForm(f.Form)
	return ofRun(f.Run.Run, result, err)
}

// Group reads the form's journeys. Those that the run found incomplete are so.
func (f Form) Group(context.Context) (compare.Group, []journey.Warning, error) {
	group, warnings, err := f.Run.Run.Group(f.Form, f.Run.options...)
	group.Name = f.Name()
	return group, warnings, unread(err)
}

// About is the run's provenance.
func (f Form) About() []string { return about(f.Run.Run) }

// about returns the provenance of a run, a line each.
func about(r rundir.Run) []string {
	lines := []string{fmt.Sprintf("run %s: %s, %s", nameOf(r), r.Setting(), r.Load()), r.Parts(), r.MadeOn()}
	if r.EndedEarly {
		lines = append(lines, "ended early: what was placed by then is what follows")
	}
	if cold := r.WarmedUp.Doubt(); cold != "" {
		lines = append(lines, cold)
	}
	if missing := r.MissingForms(); len(missing) > 0 {
		lines = append(lines, "it has no span of "+strings.Join(missing, ", "))
	}
	if doubt := r.Doubt(); doubt != "" {
		lines = append(lines, "(!) "+doubt)
	}
	return lines
}

// File is a file in any format that package source reads, or standard input.
type File struct {
	resolver *Resolver
	path     string
}

// Name is the path.
func (f File) Name() string {
	if f.path == "-" {
		return "standard input"
	}
	return f.path
}

// Spans reads the file, and asks the Jaeger, if one is named, for what it refers to.
func (f File) Spans(ctx context.Context) (Spans, error) {
	var result source.Result
	var err error
	if f.path == "-" {
		result, err = source.Read(f.resolver.Stdin, f.Name())
	} else {
		result, err = source.ReadFile(f.path)
	}
	if err != nil {
		return Spans{}, unread(err)
	}
	return f.resolver.complete(ctx, result)
}

// Group reads the file's journeys.
func (f File) Group(ctx context.Context) (compare.Group, []journey.Warning, error) {
	spans, err := f.Spans(ctx)
	if err != nil {
		return compare.Group{}, nil, err
	}
	group, warnings := groupOf(f.Name(), spans, f.resolver.options())
	return group, warnings, nil
}

// About is nothing: the name says it.
func (f File) About() []string { return nil }

// ofRun are spans that were read from a run, with what the run says of their times.
func ofRun(r rundir.Run, result source.Result, err error) (Spans, error) {
	if err != nil {
		return Spans{}, unread(err)
	}
	spans := read(result)
	spans.doubt = r.Doubt()
	spans.starved, err = r.Starved()
	return spans, unread(err)
}

// read are the spans of a result.
func read(r source.Result) Spans {
	return Spans{Spans: r.Spans, Warnings: r.Warnings, Damaged: r.DamagedTraces}
}

func (s *Spans) add(one Spans) {
	s.Spans, s.Warnings, s.Damaged = append(s.Spans, one.Spans...), append(s.Warnings, one.Warnings...), append(s.Damaged, one.Damaged...)
	if one.absence != nil {
		s.absence = one.absence
	}
	s.doubt, s.starved = cmp.Or(s.doubt, one.doubt), append(s.starved, one.starved...)
}
