package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tracelab/compare"
	"tracelab/compare/source"
	"tracelab/lab"
	"tracelab/services"
)

// input is one trace set that a command line names.
type input struct {
	name string
	run  lab.SavedRun // of a run directory
	form services.Form
	kind inputKind
}

type inputKind int

const (
	wholeRun inputKind = iota // a run directory
	oneForm                   // RUN/grpc
	file                      // an OTLP/JSON file, or - for standard input
)

// resolve finds out what an argument names.
func resolve(name string) (input, error) {
	in := input{name: name, kind: file}
	if name == "-" {
		return in, nil
	}
	run, ok, err := lab.OpenRun(name)
	if err != nil {
		return in, err
	}
	if ok {
		in.run, in.kind = run, wholeRun
		return in, nil
	}
	if run, ok, err = lab.OpenRun(filepath.Dir(name)); err == nil && ok && !strings.Contains(filepath.Base(name), ".") {
		in.run, in.kind, in.form = run, oneForm, services.Form(filepath.Base(name))
		return in, run.CheckForm(in.form)
	}
	if info, err := os.Stat(name); err != nil {
		return in, fmt.Errorf("%s: no run directory, no form of one (RUN/grpc), no file: %w", name, errors.Unwrap(err))
	} else if info.IsDir() {
		return in, fmt.Errorf("%s is a directory without a run.json: name a run directory, such as runs/latest, or a file", name)
	}
	return in, nil
}

// group reads the input's journeys; a whole run needs a form.
func (in input) group(form services.Form, stdin io.Reader) (compare.Group, []string, error) {
	switch in.kind {
	case wholeRun:
		return in.run.Group(form)
	case oneForm:
		return in.run.Group(in.form)
	case file:
	}
	result, err := in.read(stdin)
	if err != nil {
		return compare.Group{}, nil, err
	}
	set := compare.Normalise(result.Spans)
	warnings := append(texts(result.Warnings), texts(set.Warnings())...)
	return compare.Group{Name: in.name, Journeys: set.Journeys()}, warnings, nil
}

// spans reads every span of the input, those of no journey too.
func (in input) spans(stdin io.Reader) ([]compare.Span, []string, error) {
	if in.kind == wholeRun {
		return in.run.Spans()
	}
	result, err := in.read(stdin)
	if err != nil {
		return nil, nil, err
	}
	return result.Spans, texts(result.Warnings), nil
}

func texts(warnings []compare.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Text)
	}
	return list
}

func (in input) read(stdin io.Reader) (source.Result, error) {
	switch {
	case in.kind == oneForm:
		return source.ReadFile(in.run.File(in.form))
	case in.name == "-":
		return source.Read(stdin, "standard input")
	}
	return source.ReadFile(in.name)
}
