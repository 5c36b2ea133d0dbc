package main

import (
	"context"
	"errors"
	"fmt"

	"tracelab/internal/traceset"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/journey/report"
)

// compareCommand is `tracelab compare`.
type compareCommand struct {
	Inputs     []string `arg:"" optional:"" name:"input" help:"One run directory: its forms against each other. Two: form by form. RUN/grpc: one form. Else a file of OTLP or Jaeger traces, a folder of them, files joined by commas, a quoted pattern ('before-*.json'), a baseline that --save wrote, kafka://HOST:PORT/TOPIC?since=1h&root=SERVICE/NAME for the summaries that tracelab watch wrote, - for standard input, jaeger:TRACEID, or the address of a trace, a comparison or a search in the Jaeger UI. The first is what the others are compared with."`
	Base       string   `help:"Of one run directory: the form that the others are compared with (default: the run's own)." placeholder:"FORM"`
	FailOn     []string `help:"Exit with 1 when a measure is more than in the base by this: MEASURE[ pN][@ROOT]>AMOUNT, such as 'completion>5%' or 'caller wait p95@POST /orders>20ms'. It fails when the whole 95 % interval lies beyond, passes when it lies below, and is undecided otherwise. May be repeated." placeholder:"LIMIT" sep:"none" env:"TRACELAB_COMPARE_FAIL_ON"`
	Undecided  string   `help:"What an undecided limit counts as: pass or fail (default ${default})." enum:"pass,fail" default:"pass" placeholder:"OUTCOME"`
	SameWithin string   `help:"Call a measure the same where the whole interval of the difference lies within this: 2% or 1ms." placeholder:"AMOUNT"`
	Pair       string   `help:"Pair journeys with the same value of this attribute (default ${default})." default:"tracelab.order.number" placeholder:"ATTRIBUTE"`
	Save       string   `help:"Write the last input's figures to this file, a baseline that can stand in its place as a first input. One input is enough then. Not written when a limit fails." placeholder:"FILE"`
	Format     string   `help:"Of the report: text, json, html, markdown (for a comment on a pull request), junit (of --fail-on) (default ${default})." enum:"text,json,html,markdown,junit" default:"text" placeholder:"NAME"`
	chooseFlags
	inputFlags
}

// sides are what was compared, and what a page says beside it.
type sides struct {
	comparison compare.Comparison
	judgment   compare.Judgment
	findings   []lint.Finding // of the groups, for a page
	last       compare.Group  // for --save
}

// Run reads the inputs, prints the comparison, and fails when a limit does.
func (c *compareCommand) Run(ctx context.Context, s *streams) error {
	limitMemory(readingLimit)
	question, err := c.question()
	if err != nil {
		return err
	}
	without, err := c.selectors()
	if err != nil {
		return err
	}
	inputs, err := resolve(c.resolver(s, without...), c.Inputs)
	if err != nil {
		return err
	}
	if c.Save != "" && len(inputs) == 1 {
		if _, run := inputs[0].(traceset.Run); !run {
			return c.saveOnly(ctx, s, question, inputs[0])
		}
	}
	compared, err := question.compare(ctx, inputs)
	if err != nil {
		return err
	}
	r := report.Comparison{Of: compared.comparison, Color: formColor, About: append(traceset.Joined{Parts: inputs}.About(), c.about()...), Findings: compared.findings}
	if run, ok := inputs[0].(traceset.Run); ok && len(inputs) == 1 {
		r.From = "run " + run.Name()
	}
	if len(c.FailOn) > 0 {
		r.Gate = &report.Gate{Judgment: compared.judgment, FailUndecided: c.Undecided == "fail"}
	}
	if err := c.write(s, r); err != nil {
		return err
	}
	if r.Gate != nil && !r.Gate.Passed() {
		return errNotSo
	}
	if c.Save != "" {
		return c.save(s, question, compared.last)
	}
	return nil
}

func (c *compareCommand) write(s *streams, r report.Comparison) error {
	switch c.Format {
	case "json":
		return r.WriteJSON(s.out)
	case "html":
		return r.WriteHTML(s.out)
	case "markdown":
		return r.WriteMarkdown(s.out)
	case "junit":
		return r.WriteJUnit(s.out)
	}
	return r.WriteText(s.out, terminalOf(s.out))
}

// question is what the flags ask of the groups.
type question struct {
	*compareCommand
	options []compare.Option
	gate    compare.Gate
}

// question reads the flags.
func (c *compareCommand) question() (question, error) {
	q := question{compareCommand: c, options: []compare.Option{compare.WithPairs(compare.ByAttribute(c.Pair))}}
	if c.IncludeIncomplete {
		q.options = append(q.options, compare.WithIncomplete())
	}
	if c.SameWithin != "" {
		amount, err := compare.ParseAmount(c.SameWithin)
		if err != nil {
			return q, usageError{fmt.Errorf("--same-within: %w", err)}
		}
		q.options = append(q.options, compare.WithSameWithin(amount))
	}
	for _, text := range c.FailOn {
		limit, err := compare.ParseLimit(text)
		if err != nil {
			return q, usageError{fmt.Errorf("--fail-on: %w", err)}
		}
		q.gate.Limits = append(q.gate.Limits, limit)
	}
	if c.Format == "junit" && len(c.FailOn) == 0 {
		return q, usageError{errors.New("--format junit reports the limits of --fail-on: name one")}
	}
	return q, nil
}

// saveOnly writes the baseline of one input, and prints what it is.
func (c *compareCommand) saveOnly(ctx context.Context, s *streams, q question, in traceset.Input) error {
	if len(c.FailOn) > 0 {
		return usageError{fmt.Errorf("--fail-on compares %s with nothing: name a second input", in.Name())}
	}
	all, err := q.read(ctx, []traceset.Input{in})
	if err != nil {
		return err
	}
	r := report.Comparison{Of: compare.Groups(all.groups, q.options...), Color: formColor, About: append(in.About(), c.about()...), Findings: all.findings}
	r.Of.Warnings = append(texts(all.warnings), r.Of.Warnings...)
	if err := c.write(s, r); err != nil {
		return err
	}
	return c.save(s, q, all.groups[0])
}

// save writes a baseline. A file that stands there is replaced whole or not at all.
func (c *compareCommand) save(s *streams, q question, group compare.Group) error {
	b := compare.NewBaseline(group, q.options...)
	b.Pair, b.Chosen = c.Pair, c.words()
	file, err := createWhole(c.Save)
	if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	defer file.abandon()
	if err := b.Write(file); err != nil {
		return fmt.Errorf("--save %s: %w", c.Save, err)
	}
	if err := file.commit(); err != nil {
		return fmt.Errorf("--save %s: %w", c.Save, err)
	}
	s.talk("saved the figures of %s to %s", group.Name, c.Save)
	return nil
}
