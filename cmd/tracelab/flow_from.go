package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tracelab/derive"
	"tracelab/internal/hint"
	"tracelab/internal/traceset"
	"tracelab/journey/report"
	"tracelab/services/flows"
)

// flowFromCommand is `tracelab flow from`.
type flowFromCommand struct {
	Inputs  []string `arg:"" optional:"" name:"input" help:"One form of a run directory (RUN/grpc), a file of OTLP, Jaeger, Tempo or Zipkin traces, - for standard input, jaeger:TRACEID, or the address of a trace or a search in the Jaeger UI. Several files are read as one set."`
	Name    string   `help:"The flow's name (default: the root's, and traced)." placeholder:"NAME"`
	AtLeast int      `help:"B comes after A where it began after A's end every time, from this number of times on (default ${default})." default:"20" placeholder:"N"`
	Out     string   `help:"Write the flow to this file, which ends in .yaml (default: print it)." env:"-" placeholder:"FILE"`
	chooseFlags
	inputFlags
}

// Run reads the inputs and writes the flow.
func (c *flowFromCommand) Run(ctx context.Context, s *streams) error {
	if c.AtLeast < 1 {
		return usageError{fmt.Errorf("--at-least %d: use a number from 1 on", c.AtLeast)}
	}
	if c.Out != "" && !flows.IsFile(c.Out) {
		return usageError{fmt.Errorf("--out %s: a flow's file ends in .yaml, such as %s.yaml", hint.Quote(c.Out), hint.Quote(c.Out))}
	}
	if c.Name != "" {
		if err := flows.CheckName(c.Name); err != nil {
			return usageError{fmt.Errorf("--name %w", err)}
		}
	}
	derived, err := c.derive(ctx, s)
	if err != nil {
		return err
	}
	if c.Out == "" {
		if _, err := s.out.Write(derived.YAML); err != nil {
			return fmt.Errorf("write the flow: %w", err)
		}
		return nil
	}
	if err := writeFlow(c.Out, derived.YAML); err != nil {
		return err
	}
	f := derived.Flow
	if err := s.say("%s: flow %s of %s: %s of %s", c.Out, f.Name, count(derived.Journeys, "journey"), count(len(f.Rows), "step"), count(len(f.Services())-1, "service")); err != nil {
		return err
	}
	program := hint.Program(os.Args[0])
	s.talk("look at it: %s", hint.Command(program, "flow", "show", c.Out))
	s.talk("run it:     %s", hint.Command(program, "run", "--flow", c.Out, "--forms", forms(f)))
	return nil
}

// printsData tells that the flow's file is no text to be put into other signs.
func (c *flowFromCommand) printsData() bool { return c.Out == "" }

// derive reads the inputs and derives the flow.
func (c *flowFromCommand) derive(ctx context.Context, s *streams) (*derive.Derived, error) {
	without, err := c.selectors()
	if err != nil {
		return nil, err
	}
	in, err := joined(c.resolver(s, without...), c.Inputs)
	if err != nil {
		return nil, err
	}
	if in, err = oneForm(in, " the flow is made from"); err != nil {
		return nil, err
	}
	group, warnings, err := in.Group(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.check(in.Name(), warnings); err != nil {
		return nil, err
	}
	for _, w := range report.CollapseWarnings(warnings) {
		s.talk("warning: %s", w.Text)
	}
	if group.Baseline != nil {
		_, err := in.Spans(ctx) // which says why there are none
		return nil, err
	}
	if group, err = c.choose(group); err != nil {
		return nil, err
	}
	derived, err := derive.From(group.Journeys, derive.Options{Name: c.Name, From: in.Name(), About: in.About(), AtLeast: c.AtLeast, IncludeIncomplete: c.IncludeIncomplete, Late: derive.TimerLateness()})
	_, incomplete := errors.AsType[*derive.IncompleteError](err)
	switch {
	case incomplete:
		return nil, &traceset.ReadError{Err: fmt.Errorf("%s: %w: --include-incomplete takes them", in.Name(), err)}
	case errors.Is(err, derive.ErrNoJourney):
		return nil, &traceset.ReadError{Err: fmt.Errorf("%s: %w", in.Name(), err)}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", in.Name(), err)
	}
	if derived.Incomplete > 0 {
		s.talk("%s of %d left out: spans are missing (--include-incomplete takes them)", count(derived.Incomplete, "journey"), derived.Incomplete+derived.Journeys)
	}
	if derived.Others > 0 {
		s.talk("%s left out that do not begin with %s: --root chooses", count(derived.Others, "journey"), derived.Root)
	}
	return derived, nil
}

// forms lists the forms of a flow that an embedded broker can carry.
func forms(f *flows.Flow) string {
	text := ""
	for _, form := range f.Forms() {
		if text != "" {
			text += ","
		}
		text += string(form)
	}
	return text
}

// count writes a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// writeFlow writes a flow's file, which is there whole or not at all.
func writeFlow(path string, content []byte) error {
	file, err := createWhole(path)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer file.abandon()
	if _, err := file.Write(content); err != nil {
		return fmt.Errorf("write the flow: %w", err)
	}
	return file.commit()
}
