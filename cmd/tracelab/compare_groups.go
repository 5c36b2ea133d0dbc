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
	"tracelab/services/flows"
)

// compare compares what belongs together: the forms of one run, two runs form by form, or everything with the
// first.
func (c question) compare(ctx context.Context, inputs []traceset.Input) (sides, error) {
	var runs []traceset.Run
	for _, in := range inputs {
		if run, ok := in.(traceset.Run); ok {
			runs = append(runs, run)
		}
	}
	switch {
	case c.Save != "" && len(runs) > 0:
		return sides{}, usageError{fmt.Errorf("--save keeps one form of a run: name it, such as %s", filepath.Join(runs[0].Dir, runs[0].Forms[0]))}
	case len(runs) == 1 && len(inputs) == 1:
		return c.forms(ctx, runs[0])
	case c.Base != "":
		return sides{}, usageError{fmt.Errorf("--base picks a form of one run directory, and there are %d inputs: name the base first", len(inputs))}
	case len(runs) == len(inputs):
		return c.runs(ctx, runs)
	case len(runs) > 0:
		return sides{}, usageError{&traceset.StandsBesideError{Run: runs[0]}}
	case len(inputs) < 2:
		return sides{}, usageError{alone(inputs[0])}
	}
	return c.groups(ctx, inputs)
}

// alone is the error for an input that is compared with nothing. For what happened in a time it shows the time before it as the first input.
func alone(in traceset.Input) error {
	if s, ok := in.(traceset.Summaries); ok {
		return fmt.Errorf("%s is compared with nothing: name what it is compared with before it, such as the same time just before: compare '%s' '%s', or a baseline that --save wrote",
			s.Name(), s.Earlier(), s.Name())
	}
	return fmt.Errorf("%s is compared with nothing: name a second input", in.Name())
}

// forms compares the forms of one run.
func (c question) forms(ctx context.Context, run traceset.Run) (sides, error) {
	// A view does less than the others: it is compared when it is asked for by name.
	names := slices.DeleteFunc(slices.Clone(run.Forms), func(name string) bool { return slices.Contains(run.ViewForms, name) })
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
	all, err := c.groups(ctx, forms)
	for _, view := range run.ViewForms {
		if !slices.Contains(names, view) {
			all.comparison.Warnings = append(all.comparison.Warnings, fmt.Sprintf("form %s reads a view in the place of steps, so it does less work and is left out: name it to compare it all the same, such as %s", view, filepath.Join(run.Dir, view)))
		}
	}
	return all, err
}

// runs compares the forms that all the runs have, and names those that only some have. The nodes of several forms do not
// stand beside each other, so of those only the measures are kept.
func (c question) runs(ctx context.Context, runs []traceset.Run) (sides, error) {
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
	s.judgment.Checks = append(s.judgment.Checks, one.judgment.Checks...)
	s.judgment.Warnings = append(s.judgment.Warnings, one.judgment.Warnings...)
}

// allForms are the forms that any of the runs has, in their usual order, the others behind.
func allForms(runs []traceset.Run) []string {
	var names []string
	for _, form := range flows.Order().Forms() {
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

// readGroups are groups as they were read and chosen.
type readGroups struct {
	groups   []compare.Group
	warnings []journey.Warning
	findings []lint.Finding
}

// read reads the journeys of inputs.
func (c question) read(ctx context.Context, inputs []traceset.Input) (readGroups, error) {
	var all readGroups
	for i, in := range inputs {
		if err := c.refuseSummaries(in); err != nil {
			return all, err
		}
		group, some, err := in.Group(ctx)
		if err != nil {
			return all, err
		}
		if err := c.check(in.Name(), some); err != nil {
			return all, err
		}
		if group, err = c.choose(group); err != nil {
			return all, err
		}
		if _, saved := in.(traceset.Baseline); saved {
			b := group.Baseline
			if i > 0 {
				return all, usageError{fmt.Errorf("%s is a baseline: it is compared with, so name it first", in.Name())}
			}
			if b.Pair != c.Pair {
				some = append(some, journey.Warning{Text: fmt.Sprintf("%s was saved with pairs by %q, so there are none by %q", in.Name(), b.Pair, c.Pair)})
				group.Baseline = b.WithoutKeys()
			}
		}
		all.groups, all.warnings = append(all.groups, group), append(all.warnings, some...)
		if c.Format == "html" {
			all.findings = append(all.findings, findingsOf(group.Name, group.Journeys)...)
		}
	}
	return all, nil
}

// refuseSummaries fails for a choice among summaries that takes spans.
func (c question) refuseSummaries(in traceset.Input) error {
	if _, is := in.(traceset.Summaries); is && (len(c.Where)+len(c.Without) > 0 || c.IncludeIncomplete) {
		return usageError{fmt.Errorf("%s has summaries, which have no spans: leave out --where, --without and --include-incomplete, and choose with root, since and until in the address", in.Name())}
	}
	return nil
}

func (c question) groups(ctx context.Context, inputs []traceset.Input) (sides, error) {
	all, err := c.read(ctx, inputs)
	if err != nil {
		return sides{}, err
	}
	s := sides{comparison: compare.Groups(all.groups, c.options...), findings: all.findings, last: all.groups[len(all.groups)-1]}
	s.comparison.Warnings = append(texts(all.warnings), s.comparison.Warnings...)
	if len(c.gate.Limits) > 0 {
		s.judgment = c.gate.Judge(all.groups, c.options...)
	}
	return s, nil
}

func texts(warnings []journey.Warning) []string {
	var list []string
	for _, w := range report.CollapseWarnings(warnings) {
		list = append(list, w.Text)
	}
	return list
}
