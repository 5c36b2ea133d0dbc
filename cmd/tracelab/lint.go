package main

import (
	"context"
	"fmt"

	"tracelab/journey"
	"tracelab/journey/lint"
)

// lintCommand is `tracelab lint`.
type lintCommand struct {
	Inputs []string `arg:"" optional:"" name:"input" help:"A run directory, one form of it (RUN/grpc), a file of OTLP or Jaeger traces, - for standard input, jaeger:TRACEID, or the address of a trace in the Jaeger UI. Several files, or forms of a run, are read as one set."`
	FailOn string   `help:"Exit with 1 when there is a finding of this level or a graver one: error, warning, advice; never (default ${default})." enum:"error,warning,advice,never" default:"error" placeholder:"LEVEL"`
	All    bool     `help:"Show every finding, not the first few of each rule."`
	Format string   `help:"Of the report: text or json (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
	inputFlags
}

// Run checks the input against the rules and prints what they find.
func (c *lintCommand) Run(ctx context.Context, s *streams) error {
	in, err := joined(c.asker(s), c.Inputs)
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
	for _, w := range read.Warnings {
		s.talk("warning: %s", w.Text)
	}
	result := lint.Check(journey.NewSet(read.Spans), lint.WithLookup(read.Absence))
	if c.Format == "json" {
		err = result.WriteJSON(s.out)
	} else {
		examples := 0
		if c.All {
			examples = len(result.Findings)
		}
		err = result.WriteText(s.out, terminalOf(s.out), examples)
	}
	if err != nil {
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
