package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"tracelab/internal/traceset"
	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/journey/report"
)

// lintCommand is `tracelab lint`.
type lintCommand struct {
	Inputs   []string `arg:"" optional:"" name:"input" help:"A run directory, one form of it (RUN/grpc), a file of OTLP or Jaeger traces, a folder of them, - for standard input, jaeger:TRACEID, or the address of a trace in the Jaeger UI. Several files, or forms of a run, are read as one set."`
	FailOn   string   `env:"TRACELAB_LINT_FAIL_ON" help:"Exit with 1 when there is a finding of this level or a graver one: error, warning, advice; never (default ${default})." enum:"error,warning,advice,never" default:"error" placeholder:"LEVEL"`
	All      bool     `help:"Show every finding, not the first few of each rule."`
	Ignore   []string `help:"Do not apply this rule. May be repeated." placeholder:"ID"`
	Baseline string   `help:"Leave out what an earlier report has: the output of lint --format json. Ids and numbers may differ." placeholder:"FILE"`
	Rules    bool     `help:"List the rules instead."`
	Explain  string   `help:"Explain this rule instead." placeholder:"ID"`
	Format   string   `help:"Of the report: text, json or sarif (for code scanning) (default ${default})." enum:"text,json,sarif" default:"text" placeholder:"NAME"`
	inputFlags
}

// Run checks the input against the rules and prints what they find.
func (c *lintCommand) Run(ctx context.Context, s *streams) error {
	limitMemory(readingLimit)
	if c.Rules || c.Explain != "" {
		return c.catalog(s)
	}
	rules, err := lint.Without(lint.Rules(), ruleIDs(c.Ignore)...)
	if err != nil {
		return usageError{fmt.Errorf("--ignore: %w", err)}
	}
	known, err := c.known()
	if err != nil {
		return err
	}
	in, err := joined(c.resolver(s), c.Inputs)
	if err != nil {
		return err
	}
	read, err := in.Spans(ctx)
	if err != nil {
		return err
	}
	if err := c.check(in.Name(), read.Warnings); err != nil {
		return err
	}
	for _, w := range report.CollapseWarnings(read.Warnings) {
		s.talk("warning: %s", w.Text)
	}
	result := lint.Check(journey.NewSet(read.Spans), lint.WithLookup(read.Absence), lint.WithRules(rules...))
	result.Warnings = report.CollapseWarnings(read.Warnings)
	leftOut := 0
	if known != nil {
		result, leftOut = result.New(known)
	}
	if err := c.write(s, in, result, leftOut); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if c.FailOn == "never" {
		return nil
	}
	level, err := lint.ParseLevel(c.FailOn)
	if err != nil {
		return usageError{err}
	}
	if result.Counts.AtLeast(level) > 0 {
		return errNotSo
	}
	return nil
}

func (c *lintCommand) write(s *streams, in traceset.Input, result lint.Result, leftOut int) error {
	switch c.Format {
	case "json":
		return result.WriteJSON(s.out)
	case "sarif":
		return result.WriteSARIF(s.out, in.Name())
	}
	examples := 0
	if c.All {
		examples = len(result.Findings)
	}
	if err := result.WriteText(s.out, terminalOf(s.out), examples); err != nil {
		return err
	}
	switch {
	case leftOut == 1:
		return s.say("1 finding of the baseline is left out")
	case leftOut > 1:
		return s.say("%d findings of the baseline are left out", leftOut)
	}
	return nil
}

// catalog lists or explains rules.
func (c *lintCommand) catalog(s *streams) error {
	rules := lint.Rules()
	if c.Explain != "" {
		var err error
		if rules, err = lint.Only(rules, ruleIDs([]string{c.Explain})...); err != nil {
			return usageError{fmt.Errorf("--explain: %w", err)}
		}
	}
	switch {
	case c.Format == "json":
		return lint.WriteRulesJSON(s.out, rules)
	case c.Format == "sarif":
		return usageError{errors.New("--format sarif reports findings: rules are text or JSON")}
	case c.Explain != "":
		return rules[0].Explain(s.out, terminalOf(s.out))
	}
	return lint.WriteRules(s.out, terminalOf(s.out), rules)
}

func ruleIDs(names []string) []journey.RuleID {
	ids := make([]journey.RuleID, len(names))
	for i, name := range names {
		ids[i] = journey.RuleID(strings.ToUpper(name))
	}
	return ids
}

// known reads the baseline, nil without one.
func (c *lintCommand) known() (lint.Known, error) {
	if c.Baseline == "" {
		return nil, nil
	}
	file, err := os.Open(c.Baseline)
	if err != nil {
		return nil, &traceset.ReadError{Err: fmt.Errorf("--baseline: %w", err)}
	}
	defer func() { _ = file.Close() }() // nothing was written
	known, err := lint.ReadKnown(file)
	if err != nil {
		return nil, &traceset.ReadError{Err: fmt.Errorf("%s is no report of lint: make one with lint --format json: %w", c.Baseline, err)}
	}
	return known, nil
}
