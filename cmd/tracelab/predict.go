package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tracelab/internal/traceset"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/predict"
	"tracelab/journey/report"
)

// predictCommand is `tracelab predict`.
type predictCommand struct {
	Inputs       []string       `arg:"" optional:"" name:"input" help:"One form of a run directory (RUN/grpc), a file of OTLP or Jaeger traces, - for standard input, jaeger:TRACEID, or the address of a trace or a search in the Jaeger UI. Several files are read as one set."`
	Message      []string       `help:"Let messages take the hops to these steps." placeholder:"STEP"`
	Call         []string       `help:"Let calls take the hops to these steps. A duration here is --call-overhead." placeholder:"STEP"`
	Like         string         `help:"Give every hop the carrier that it has in this form of the same run, or in this input." placeholder:"FORM|INPUT"`
	From         string         `help:"Measure what publish, delivery and a call cost on this form of the same run, or on this input." placeholder:"FORM|INPUT"`
	Publish      *time.Duration `help:"How long a message holds its sender (default: measured)." placeholder:"DURATION"`
	Delivery     *time.Duration `help:"From the start of a publish to the start of the handling (default: measured)." placeholder:"DURATION"`
	CallOverhead *time.Duration `help:"What request and response take together (default: measured)." placeholder:"DURATION"`
	Check        string         `help:"Compare the prediction with what was measured in this form of the same run, or in this input." placeholder:"FORM|INPUT"`
	Pair         string         `help:"With --check: pair journeys by this attribute of their roots (default ${default})." default:"${number}" placeholder:"ATTRIBUTE"`
	Format       string         `help:"Of the report: text, json or html (default ${default})." enum:"text,json,html" default:"text" placeholder:"NAME"`
	chooseFlags
	inputFlags
}

// Run reads the inputs and prints the prediction.
func (c *predictCommand) Run(ctx context.Context, s *streams) error {
	limitMemory(readingLimit)
	if err := c.readOverhead(); err != nil {
		return err
	}
	without, err := c.selectors()
	if err != nil {
		return err
	}
	in, err := joined(c.resolver(s, without...), c.Inputs)
	if err != nil {
		return err
	}
	if in, err = oneForm(in, " is to change"); err != nil {
		return err
	}
	name := in.Name()
	if form, ok := in.(traceset.Form); ok { // the other forms of its run stand beside it
		form.Short = true
		in = form
	}
	group, err := c.group(ctx, s, in)
	if err != nil {
		return err
	}
	options, beside, err := c.options(ctx, s, in, group)
	if err != nil {
		return err
	}
	of, err := predict.Predict(group.Journeys, options...)
	if err != nil {
		return c.explained(err)
	}
	r := report.Prediction{Of: of, From: name}
	groups := []compare.Group{group}
	for _, other := range beside {
		groups = append(groups, other.group)
	}
	r.Doubtful = len(compare.Doubts(groups...)) > 0
	if c.Check != "" {
		other, err := c.other(ctx, s, in, c.Check)
		if err != nil {
			return err
		}
		r.Check = new(of.Check(other.group.Name, other.group.Journeys, compare.ByAttribute(c.Pair), c.takes()...))
		r.CheckDoubtful = other.group.Doubt != ""
		beside, groups = append(beside, other), append(groups, other.group)
	}
	r.Doubts = compare.Doubts(groups...)
	r.About = append(append(aboutAll(in, beside), "journeys of "+in.Name()), c.about()...)
	switch c.Format {
	case "json":
		return r.WriteJSON(s.out)
	case "html":
		return r.WriteHTML(s.out)
	}
	return r.WriteText(s.out, terminalOf(s.out))
}

// besideInput is a set that a flag names, and what is read of it.
type besideInput struct {
	in    traceset.Input
	group compare.Group
}

// aboutAll says where the traces of the input come from, and those of the sets that flags name, each line once.
func aboutAll(in traceset.Input, beside []besideInput) []string {
	parts := []traceset.Input{in}
	for _, other := range beside {
		parts = append(parts, other.in)
	}
	return traceset.Joined{Parts: parts}.About()
}

// readOverhead moves a duration among the steps of --call to --call-overhead.
func (c *predictCommand) readOverhead() error {
	var steps []string
	for _, word := range c.Call {
		d, err := time.ParseDuration(word)
		switch {
		case err != nil:
			steps = append(steps, word)
		case c.CallOverhead != nil && *c.CallOverhead != d:
			return usageError{fmt.Errorf("the overhead of a call is given twice: %v and %v", *c.CallOverhead, d)}
		default:
			c.CallOverhead = &d
		}
	}
	c.Call = steps
	for name, d := range map[string]*time.Duration{"publish": c.Publish, "delivery": c.Delivery, "call-overhead": c.CallOverhead} {
		if d != nil && *d < 0 {
			return usageError{fmt.Errorf("--%s %v: give a duration that is not negative", name, *d)}
		}
	}
	return nil
}

// options makes the library's options of the flags, and returns the sets that these name.
func (c *predictCommand) options(ctx context.Context, s *streams, in traceset.Input, group compare.Group) ([]predict.Option, []besideInput, error) {
	var beside []besideInput
	list := append(c.takes(), predict.ToMessage(c.Message...), predict.ToCall(c.Call...), predict.Named(group.Name))
	for _, x := range []struct {
		name string
		as   func(string, []*journey.Journey) predict.Option
	}{{c.Like, predict.Like}, {c.From, predict.From}} {
		if x.name == "" {
			continue
		}
		other, err := c.other(ctx, s, in, x.name)
		if err != nil {
			return nil, nil, err
		}
		list, beside = append(list, x.as(other.group.Name, other.group.Journeys)), append(beside, other)
	}
	for _, x := range []struct {
		given *time.Duration
		as    func(time.Duration) predict.Option
	}{{c.Publish, predict.WithPublish}, {c.Delivery, predict.WithDelivery}, {c.CallOverhead, predict.WithCall}} {
		if x.given != nil {
			list = append(list, x.as(*x.given))
		}
	}
	return list, beside, nil
}

// takes says which journeys are taken.
func (c *predictCommand) takes() []predict.Option {
	if c.IncludeIncomplete {
		return []predict.Option{predict.WithIncomplete()}
	}
	return nil
}

// other reads what a flag names: a form of the same run, or an input.
func (c *predictCommand) other(ctx context.Context, s *streams, in traceset.Input, name string) (besideInput, error) {
	if form, ok := in.(traceset.Form); ok {
		if other, err := form.Run.Form(name); err == nil {
			other.Short = true
			return c.beside(ctx, s, other)
		} else if !strings.ContainsAny(name, "./:-") { // no path and no address, so a form was meant
			return besideInput{}, err
		}
	}
	without, err := c.selectors()
	if err != nil {
		return besideInput{}, err
	}
	f := c.inputFlags
	f.Service = "" // that names the input itself
	inputs, err := resolve(f.resolver(s, without...), []string{name})
	if err != nil {
		return besideInput{}, err
	}
	if in, err = oneForm(inputs[0], ""); err != nil {
		return besideInput{}, err
	}
	return c.beside(ctx, s, in)
}

// beside reads a set that a flag names.
func (c *predictCommand) beside(ctx context.Context, s *streams, in traceset.Input) (besideInput, error) {
	group, err := c.group(ctx, s, in)
	return besideInput{in, group}, err
}

// group reads the journeys of an input that are chosen.
func (c *predictCommand) group(ctx context.Context, s *streams, in traceset.Input) (compare.Group, error) {
	group, warnings, err := in.Group(ctx)
	if err != nil {
		return group, err
	}
	if err := c.check(in.Name(), warnings); err != nil {
		return group, err
	}
	for _, w := range report.CollapseWarnings(warnings) {
		s.talk("warning: %s", w.Text)
	}
	if group.Baseline != nil {
		_, err := in.Spans(ctx) // which says why there are none
		return group, err
	}
	if len(group.Journeys) == 0 {
		return group, &traceset.ReadError{Err: fmt.Errorf("%s has no journey", group.Name)}
	}
	return c.choose(group)
}

// explained adds the flags that help.
func (c *predictCommand) explained(err error) error {
	missing, isMissing := errors.AsType[*predict.MissingConstantError](err)
	_, isCarrier := errors.AsType[*predict.CarrierError](err)
	_, isIncomplete := errors.AsType[*predict.IncompleteError](err)
	_, isUnknown := errors.AsType[*predict.UnknownHopError](err)
	switch {
	case isMissing && missing.Message:
		return usageError{fmt.Errorf("%w: --from, or --publish and --delivery", err)}
	case isMissing:
		return usageError{fmt.Errorf("%w: --from, or --call-overhead", err)}
	case isIncomplete:
		return &traceset.ReadError{Err: fmt.Errorf("%w: --include-incomplete takes them", err)}
	case errors.Is(err, predict.ErrNothingTurned) && c.Like != "":
		return usageError{fmt.Errorf("%w: every hop has the carrier that it has in %s", err, c.Like)}
	case errors.Is(err, predict.ErrNothingTurned):
		return usageError{fmt.Errorf("%w: name steps with --message or --call, or a form with --like", err)}
	case isCarrier || isUnknown:
		return usageError{err}
	}
	return err
}
