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

	"tracelab/compare"
	"tracelab/compare/source"
	"tracelab/compare/source/jaeger"
	"tracelab/lab"
	"tracelab/services"
)

// input is one trace set that a command line names.
type input struct {
	name string
	kind inputKind

	run  lab.SavedRun  // of a run directory, or one form of it
	form services.Form // of one form

	base   string // of a Jaeger: where it is, and what is asked for
	traces []compare.TraceID
	search *source.Query
}

type inputKind int

const (
	wholeRun inputKind = iota // a run directory
	oneForm                   // RUN/grpc
	file                      // a file of any format that is known, or - for standard input
	ofJaeger                  // traces that a Jaeger has
)

// resolve finds out what an argument names: one input, or the two sides of a comparison in a Jaeger.
func (f jaegerFlags) resolve(name string) ([]input, error) {
	if name == "-" {
		return []input{{name: name, kind: file}}, nil
	}
	if sides, err := f.address(name, time.Now()); err == nil || isAddress(err) {
		return sides, err
	}
	run, ok, err := lab.OpenRun(name)
	if err != nil {
		return nil, err
	}
	if ok {
		return []input{{name: name, kind: wholeRun, run: run}}, nil
	}
	if run, ok, err = lab.OpenRun(filepath.Dir(name)); err == nil && ok && !strings.Contains(filepath.Base(name), ".") {
		in := input{name: name, kind: oneForm, run: run, form: services.Form(filepath.Base(name))}
		return []input{in}, run.CheckForm(in.form)
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

// one is the only input of a command that takes one.
func (f jaegerFlags) one(name string) (input, error) {
	var names []string
	if name != "" {
		names = []string{name}
	}
	inputs, err := f.inputs(names)
	if err != nil {
		return input{}, err
	}
	if len(inputs) > 1 {
		return input{}, usageError{fmt.Errorf("%s and %s are two inputs: this command takes one", inputs[0].name, inputs[1].name)}
	}
	return inputs[0], nil
}

// group reads the input's journeys; a whole run needs a form.
func (f jaegerFlags) group(ctx context.Context, in input, form services.Form, s *streams) (compare.Group, []string, error) {
	switch in.kind {
	case wholeRun:
		return in.run.Group(form)
	case oneForm:
		return in.run.Group(in.form)
	case file, ofJaeger:
	}
	read, err := f.read(ctx, in, s)
	if err != nil {
		return compare.Group{}, nil, err
	}
	set := compare.Normalise(read.spans)
	group := compare.Group{Name: in.name, Journeys: set.Journeys()}
	if len(in.traces) > 0 { // what was fetched besides, because they refer to it, has journeys of its own
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
	case in.kind == oneForm:
		result, err = source.ReadFile(in.run.File(in.form))
	case in.name == "-":
		result, err = source.Read(s.in, "standard input")
	default:
		result, err = source.ReadFile(in.name)
	}
	if err != nil || f.Jaeger == "" {
		return completed{spans: result.Spans, warnings: texts(result.Warnings)}, err
	}
	store, err := jaeger.Open(f.Jaeger, nil)
	if err != nil {
		return completed{}, err
	}
	defer func() { _ = store.Close() }() // nothing was written
	return f.complete(ctx, result.Spans, result.Warnings, store)
}

func texts(warnings []compare.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Text)
	}
	return list
}
