package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// input is one trace set that a command line names.
type input struct {
	name string
	kind inputKind

	run  rundir.Run    // of a run directory, or one form of it
	form services.Form // of one form

	base   string // of a Jaeger: where it is, and what is asked for
	traces []journey.TraceID
	search *source.Query

	parts []input // of several
}

type inputKind int

const (
	wholeRun inputKind = iota // a run directory
	oneForm                   // RUN/grpc
	file                      // a file of any format that is known, or - for standard input
	ofJaeger                  // traces that a Jaeger has
	several                   // files, forms and traces of a Jaeger as one set
)

// resolve finds out what an argument names: one input, or the two sides of a comparison in a Jaeger.
func (f jaegerFlags) resolve(name string) ([]input, error) {
	if name == "-" {
		return []input{{name: name, kind: file}}, nil
	}
	if sides, err := f.address(name, time.Now()); err == nil || isAddress(err) {
		return sides, err
	}
	run, ok, err := rundir.Open(name)
	if err != nil {
		return nil, err
	}
	if ok {
		return []input{{name: name, kind: wholeRun, run: run}}, nil
	}
	if run, ok, err = rundir.Open(filepath.Dir(name)); err == nil && ok && !strings.Contains(filepath.Base(name), ".") {
		in := input{name: name, kind: oneForm, run: run, form: services.Form(filepath.Base(name))}
		return []input{in}, run.CheckForm(string(in.form))
	}
	if info, err := os.Stat(name); err != nil {
		return nil, fmt.Errorf("%s: no run directory, no form of one (RUN/grpc), no file: %w", name, errors.Unwrap(err))
	} else if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory without a run.json: name a run directory, such as runs/latest, or a file", name)
	}
	return []input{{name: name, kind: file}}, nil
}

// inputs are those that the arguments name, and the search that the flags ask for.
func (f jaegerFlags) inputs(names []string) ([]input, error) {
	var inputs []input
	for _, name := range names {
		some, err := f.resolve(name)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, some...)
	}
	if search, ok := f.searched(time.Now()); ok {
		inputs = append(inputs, search)
	}
	if len(inputs) == 0 {
		return nil, usageError{errors.New("name an input: a run directory, a file, -, a trace in a Jaeger; or a service with --service")}
	}
	return inputs, nil
}

// joined is the one set that a command's inputs make together, so that what one file refers to may be in another.
func (f jaegerFlags) joined(names []string) (input, error) {
	inputs, err := f.inputs(names)
	if err != nil || len(inputs) == 1 {
		return append(inputs, input{})[0], err
	}
	together := input{kind: several, parts: inputs}
	for i, in := range inputs {
		if in.kind == wholeRun {
			return input{}, usageError{fmt.Errorf("the run directory %s stands beside something else: say which form of it, such as %s", in.name, filepath.Join(in.name, in.run.Forms[0]))}
		}
		if i > 0 {
			together.name += " + "
		}
		together.name += in.name
		together.traces = append(together.traces, in.traces...)
	}
	return together, nil
}

// group reads the input's journeys; a whole run needs a form.
func (f jaegerFlags) group(ctx context.Context, in input, form services.Form, s *streams) (compare.Group, []string, error) {
	switch in.kind {
	case wholeRun:
		return in.run.Group(string(form))
	case oneForm:
		return in.run.Group(string(in.form))
	case file, ofJaeger, several:
	}
	read, err := f.read(ctx, in, s)
	if err != nil {
		return compare.Group{}, nil, err
	}
	set := journey.NewSet(read.spans)
	group := compare.Group{Name: in.name, Journeys: set.Journeys()}
	if len(in.traces) > 0 && in.kind == ofJaeger { // what was fetched besides, because they refer to it, has journeys of its own
		group.Journeys = nil
		for _, id := range in.traces {
			for _, journey := range set.JourneysOf(id) {
				if !slices.Contains(group.Journeys, journey) {
					group.Journeys = append(group.Journeys, journey)
				}
			}
		}
	}
	return group, append(read.warnings, texts(set.Warnings())...), nil
}

// read reads every span of the input, those of no journey too.
func (f jaegerFlags) read(ctx context.Context, in input, s *streams) (completed, error) {
	var result source.Result
	var err error
	switch {
	case in.kind == wholeRun:
		spans, warnings, err := in.run.Spans()
		return completed{spans: spans, warnings: warnings}, err
	case in.kind == ofJaeger:
		return f.fetch(ctx, in)
	case in.kind == several:
		return f.readAll(ctx, in.parts, s)
	case in.kind == oneForm:
		result, err = source.ReadFile(in.run.File(string(in.form)))
	case in.name == "-":
		result, err = source.Read(s.in, "standard input")
	default:
		result, err = source.ReadFile(in.name)
	}
	if err != nil || f.Jaeger == "" {
		return completed{spans: result.Spans, warnings: texts(result.Warnings)}, err
	}
	store, err := jaeger.Open(f.Jaeger)
	if err != nil {
		return completed{}, err
	}
	defer func() { _ = store.Close() }() // nothing was written
	return f.complete(ctx, result.Spans, result.Warnings, store)
}

// readAll reads inputs into one set. What is known of spans that are not there is known of the last that was asked for.
func (f jaegerFlags) readAll(ctx context.Context, inputs []input, s *streams) (completed, error) {
	var all completed
	for _, in := range inputs {
		one, err := f.read(ctx, in, s)
		if err != nil {
			return completed{}, err
		}
		all.spans, all.warnings = append(all.spans, one.spans...), append(all.warnings, one.warnings...)
		if one.absence != nil {
			all.absence = one.absence
		}
	}
	return all, nil
}

func texts(warnings []journey.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Text)
	}
	return list
}
