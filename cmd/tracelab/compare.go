package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tracelab/internal/hint"
	"tracelab/internal/traceset"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/journey/report"
	"tracelab/services"
)

// compareCommand is `tracelab compare`.
type compareCommand struct {
	Inputs []string `arg:"" optional:"" name:"input" help:"One run directory: its forms against each other. Two: form by form. RUN/grpc: one form. Else files of OTLP or Jaeger traces, - for standard input, jaeger:TRACEID, or the address of a trace, a comparison or a search in the Jaeger UI. The first is what the others are compared with."`
	Base   string   `help:"Of one run directory: the form that the others are compared with (default: the run's own)." placeholder:"FORM"`
	Format string   `help:"Of the report: text, json or html (default ${default})." enum:"text,json,html" default:"text" placeholder:"NAME"`
	inputFlags
}

// sides are what was compared, and what a page says beside it.
type sides struct {
	comparison compare.Comparison
	findings   []lint.Finding // of the groups, for a page
}

// Run reads the inputs and prints the comparison.
func (c *compareCommand) Run(ctx context.Context, s *streams) error {
	inputs, err := c.resolve(c.Inputs, s)
	if err != nil {
		return err
	}
	compared, err := c.compare(ctx, inputs)
	if err != nil {
		return err
	}
	r := report.Comparison{Of: compared.comparison, About: traceset.Joined{Parts: inputs}.About(), Findings: compared.findings}
	switch c.Format {
	case "json":
		return r.WriteJSON(s.out)
	case "html":
		return r.WriteHTML(s.out)
	}
	return r.WriteText(s.out, terminalOf(s.out))
}

// compare compares what belongs together: the forms of one run, two runs form by form, or everything with the
// first.
func (c *compareCommand) compare(ctx context.Context, inputs []traceset.Input) (sides, error) {
	var runs []traceset.Run
	for _, in := range inputs {
		if run, ok := in.(traceset.Run); ok {
			runs = append(runs, run)
		}
	}
	switch {
	case len(runs) == 1 && len(inputs) == 1:
		return c.forms(ctx, runs[0])
	case c.Base != "":
		return sides{}, usageError{fmt.Errorf("--base picks a form of one run directory, and there are %d inputs: name the base first", len(inputs))}
	case len(runs) == len(inputs):
		return c.runs(ctx, runs)
	case len(runs) > 0:
		return sides{}, usageError{&traceset.StandsBesideError{Run: runs[0]}}
	case len(inputs) < 2:
		return sides{}, usageError{fmt.Errorf("%s is compared with nothing: name a second input", inputs[0].Name())}
	}
	return c.groups(ctx, inputs)
}

// forms compares the forms of one run.
func (c *compareCommand) forms(ctx context.Context, run traceset.Run) (sides, error) {
	names := slices.Clone(run.Forms)
	if c.Base != "" {
		if err := run.CheckForm(c.Base); err != nil {
			return sides{}, err
		}
		names = slices.Insert(slices.DeleteFunc(names, func(name string) bool { return name == c.Base }), 0, c.Base)
	}
	if len(names) < 2 {
		return sides{}, usageError{fmt.Errorf("%s has one form only: name a second run", run.Dir)}
	}
	var forms []traceset.Input
	for _, name := range names {
		forms = append(forms, traceset.Form{Run: run, Form: name, Short: true})
	}
	return c.groups(ctx, forms)
}

// runs compares the forms that all the runs have, and names those that only some have. The nodes of several forms do not
// stand beside each other, so of those only the measures are kept.
func (c *compareCommand) runs(ctx context.Context, runs []traceset.Run) (sides, error) {
	var all sides
	var example string
	common := 0
	for _, name := range allForms(runs) {
		var forms []traceset.Input
		for _, run := range runs {
			if form, err := run.Form(name); err == nil {
				forms = append(forms, form)
			}
		}
		if len(forms) < len(runs) {
			all.comparison.Warnings = append(all.comparison.Warnings, fmt.Sprintf("form %s is not in all of the runs", name))
			continue
		}
		one, err := c.groups(ctx, forms)
		if err != nil {
			return all, err
		}
		common++
		example = hint.Command(hint.Program(os.Args[0]), "compare", filepath.Join(runs[0].Dir, name), filepath.Join(runs[1].Dir, name))
		all.add(one)
	}
	if common == 0 {
		return all, fmt.Errorf("the runs have no form in common")
	}
	if common > 1 {
		all.comparison.Nodes = nil
		all.comparison.Warnings = append(all.comparison.Warnings, "nodes are compared one form at a time: "+example)
	}
	return all, nil
}

// add puts a comparison of one form behind those that are there.
func (s *sides) add(one sides) {
	s.comparison.Groups, s.comparison.Nodes = append(s.comparison.Groups, one.comparison.Groups...), one.comparison.Nodes
	s.comparison.Differences = append(s.comparison.Differences, one.comparison.Differences...)
	s.comparison.Warnings = append(s.comparison.Warnings, one.comparison.Warnings...)
	s.findings = append(s.findings, one.findings...)
}

// allForms are the forms that any of the runs has, in their usual order, the others behind.
func allForms(runs []traceset.Run) []string {
	var names []string
	for _, form := range services.Forms() {
		if slices.ContainsFunc(runs, func(r traceset.Run) bool { return slices.Contains(r.Forms, string(form)) }) {
			names = append(names, string(form))
		}
	}
	for _, run := range runs {
		for _, name := range run.Forms {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (c *compareCommand) groups(ctx context.Context, inputs []traceset.Input) (sides, error) {
	var all sides
	var groups []compare.Group
	var warnings []journey.Warning
	for _, in := range inputs {
		group, some, err := in.Group(ctx)
		if err != nil {
			return all, err
		}
		if err := c.check(in.Name(), some); err != nil {
			return all, err
		}
		groups, warnings = append(groups, group), append(warnings, some...)
		if c.Format == "html" {
			all.findings = append(all.findings, findingsOf(group.Name, group.Journeys)...)
		}
	}
	all.comparison = compare.Groups(groups, compare.WithPairs(compare.ByAttribute(services.KeyNumber)))
	all.comparison.Warnings = append(texts(warnings), all.comparison.Warnings...)
	return all, nil
}

func texts(warnings []journey.Warning) []string {
	var list []string
	for _, w := range warnings {
		list = append(list, w.Text)
	}
	return list
}
