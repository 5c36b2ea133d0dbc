package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/journey/report"
	"tracelab/services"
)

// compareCommand is `tracelab compare`.
type compareCommand struct {
	Inputs []string `arg:"" optional:"" name:"input" help:"One run directory: its forms against each other. Two: form by form. RUN/grpc: one form. Else files of OTLP or Jaeger traces, - for standard input, jaeger:TRACEID, or the address of a trace, a comparison or a search in the Jaeger UI. The first is what the others are compared with."`
	Format string   `help:"Of the report: text, json or html (default ${default})." enum:"text,json,html" default:"text" placeholder:"NAME"`
	jaegerFlags

	findings []lint.Finding // of the groups, for a page
}

// Run reads the inputs and prints the comparison.
func (c *compareCommand) Run(ctx context.Context, s *streams) error {
	inputs, err := c.inputs(c.Inputs)
	if err != nil {
		return err
	}
	comparison, err := c.compare(ctx, inputs, s)
	if err != nil {
		return err
	}
	r := report.Comparison{Of: comparison, Findings: c.findings}
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
func (c *compareCommand) compare(ctx context.Context, inputs []input, s *streams) (compare.Comparison, error) {
	runs, example := 0, ""
	for _, in := range inputs {
		if in.kind == wholeRun {
			runs++
			example = filepath.Join(in.name, in.run.Forms[0])
		}
	}
	switch {
	case runs == 1 && len(inputs) == 1:
		return c.forms(ctx, inputs[0], s)
	case runs == len(inputs):
		return c.runs(ctx, inputs, s)
	case runs > 0:
		return compare.Comparison{}, usageError{fmt.Errorf("a run directory stands beside something else: say which form of it, such as %s", example)}
	case len(inputs) < 2:
		return compare.Comparison{}, usageError{fmt.Errorf("%s is compared with nothing: name a second input", inputs[0].name)}
	}
	return c.groups(ctx, inputs, "", s)
}

func (c *compareCommand) forms(ctx context.Context, run input, s *streams) (compare.Comparison, error) {
	var forms []input
	for _, form := range run.run.Forms {
		forms = append(forms, input{name: form, run: run.run, form: services.Form(form), kind: oneForm})
	}
	if len(forms) < 2 {
		return compare.Comparison{}, usageError{fmt.Errorf("%s has one form only: name a second run", run.name)}
	}
	return c.groups(ctx, forms, "", s)
}

// runs compares the forms that all the runs have, and names those that only some have. The nodes of several forms do not
// stand beside each other, so of those only the measures are kept.
func (c *compareCommand) runs(ctx context.Context, runs []input, s *streams) (compare.Comparison, error) {
	var all compare.Comparison
	var example string
	common := 0
	for _, form := range services.Forms() {
		lacks := func(in input) bool { return !slices.Contains(in.run.Forms, string(form)) }
		if slices.ContainsFunc(runs, lacks) {
			if slices.ContainsFunc(runs, func(in input) bool { return !lacks(in) }) {
				all.Warnings = append(all.Warnings, fmt.Sprintf("form %s is not in all of the runs", form))
			}
			continue
		}
		one, err := c.groups(ctx, runs, form, s)
		if err != nil {
			return all, err
		}
		common++
		example = fmt.Sprintf("%s/%s %s/%s", runs[0].name, form, runs[1].name, form)
		all.Groups, all.Nodes = append(all.Groups, one.Groups...), one.Nodes
		all.Differences = append(all.Differences, one.Differences...)
		all.Warnings = append(all.Warnings, one.Warnings...)
	}
	if common == 0 {
		return all, fmt.Errorf("the runs have no form in common")
	}
	if common > 1 {
		all.Nodes = nil
		all.Warnings = append(all.Warnings, "nodes are compared one form at a time: tracelab compare "+example)
	}
	return all, nil
}

func (c *compareCommand) groups(ctx context.Context, inputs []input, form services.Form, s *streams) (compare.Comparison, error) {
	var groups []compare.Group
	var warnings []string
	for _, in := range inputs {
		group, some, err := c.group(ctx, in, form, s)
		if err != nil {
			return compare.Comparison{}, err
		}
		groups, warnings = append(groups, group), append(warnings, some...)
		if c.Format == "html" {
			c.findings = append(c.findings, findingsOf(group.Name, group.Journeys)...)
		}
	}
	comparison := compare.Groups(groups, compare.WithPairs(compare.ByAttribute(services.KeyNumber)))
	comparison.Warnings = append(warnings, comparison.Warnings...)
	return comparison, nil
}
