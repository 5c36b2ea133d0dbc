package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"tracelab/compare"
	"tracelab/compare/report"
	"tracelab/services"
)

// compareCommand is `tracelab compare`.
type compareCommand struct {
	Inputs []string `arg:"" name:"input" help:"One run directory: its forms against each other. Two: form by form. RUN/grpc: one form. Else OTLP/JSON files, or -. The first is what the others are compared with."`
	Format string   `help:"Of the report: text or json (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
}

// Run reads the inputs and prints the comparison.
func (c *compareCommand) Run(s *streams) error {
	inputs := make([]input, len(c.Inputs))
	for i, name := range c.Inputs {
		var err error
		if inputs[i], err = resolve(name); err != nil {
			return err
		}
	}
	comparison, err := compareInputs(inputs, s)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return report.ComparisonJSON(s.out, comparison)
	}
	return report.ComparisonText(s.out, comparison, terminalOf(s.out).Style)
}

// compareInputs compares what belongs together: the forms of one run, two runs form by form, or everything with the
// first.
func compareInputs(inputs []input, s *streams) (compare.Comparison, error) {
	runs, example := 0, ""
	for _, in := range inputs {
		if in.kind == wholeRun {
			runs++
			example = filepath.Join(in.name, string(in.run.Forms[0]))
		}
	}
	switch {
	case runs == 1 && len(inputs) == 1:
		return compareForms(inputs[0], s)
	case runs == len(inputs):
		return compareRuns(inputs, s)
	case runs > 0:
		return compare.Comparison{}, usageError{fmt.Errorf("a run directory stands beside something else: say which form of it, such as %s", example)}
	case len(inputs) < 2:
		return compare.Comparison{}, usageError{fmt.Errorf("%s is compared with nothing: name a second input", inputs[0].name)}
	}
	return compareGroups(inputs, "", s)
}

func compareForms(run input, s *streams) (compare.Comparison, error) {
	var forms []input
	for _, form := range run.run.Forms {
		forms = append(forms, input{name: string(form), run: run.run, form: form, kind: oneForm})
	}
	if len(forms) < 2 {
		return compare.Comparison{}, usageError{fmt.Errorf("%s has one form only: name a second run", run.name)}
	}
	return compareGroups(forms, "", s)
}

// compareRuns compares the forms that all the runs have, and names those that only some have.
func compareRuns(runs []input, s *streams) (compare.Comparison, error) {
	var all compare.Comparison
	for _, form := range services.Forms() {
		lacks := func(in input) bool { return !slices.Contains(in.run.Forms, form) }
		if slices.ContainsFunc(runs, lacks) {
			if slices.ContainsFunc(runs, func(in input) bool { return !lacks(in) }) {
				all.Warnings = append(all.Warnings, fmt.Sprintf("form %s is not in all of the runs", form))
			}
			continue
		}
		c, err := compareGroups(runs, form, s)
		if err != nil {
			return all, err
		}
		all.Groups = append(all.Groups, c.Groups...)
		all.Differences = append(all.Differences, c.Differences...)
		all.Warnings = append(all.Warnings, c.Warnings...)
	}
	if len(all.Groups) == 0 {
		return all, fmt.Errorf("the runs have no form in common")
	}
	return all, nil
}

func compareGroups(inputs []input, form services.Form, s *streams) (compare.Comparison, error) {
	var groups []compare.Group
	var warnings []string
	for _, in := range inputs {
		group, some, err := in.group(form, s.in)
		if err != nil {
			return compare.Comparison{}, err
		}
		groups, warnings = append(groups, group), append(warnings, some...)
	}
	c := compare.Compare(groups, compare.ByAttribute(services.KeyNumber))
	c.Warnings = append(warnings, c.Warnings...)
	return c, nil
}
