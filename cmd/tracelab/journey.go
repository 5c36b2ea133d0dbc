package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/report"
	"tracelab/services"
)

// journeyCommand is `tracelab journey`.
type journeyCommand struct {
	Inputs []string `arg:"" optional:"" name:"input" help:"A run directory, one form of it (RUN/grpc), a file of OTLP or Jaeger traces, - for standard input, jaeger:TRACEID, or the address of a trace in the Jaeger UI. Several files, or forms of a run, are read as one set."`
	Trace  string   `help:"The journey that reaches this trace." placeholder:"ID" xor:"pick"`
	Order  string   `help:"The journey of this order: its id, or its number." placeholder:"ID" xor:"pick"`
	Form   string   `help:"In a run directory, the form (default: kafka)." placeholder:"NAME"`
	Format string   `help:"Of the report: text, json or html (default ${default})." enum:"text,json,html" default:"text" placeholder:"NAME"`
	jaegerFlags
}

// Run reads the input, picks a journey and prints it.
func (c *journeyCommand) Run(ctx context.Context, s *streams) error {
	in, err := c.joined(c.Inputs)
	if err != nil {
		return err
	}
	form, err := c.form(in)
	if err != nil {
		return usageError{err}
	}
	group, warnings, err := c.group(ctx, in, form, s)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		s.talk("warning: %s", w)
	}
	picked, err := c.pick(group)
	if err != nil {
		return err
	}
	r := report.Journey{Of: picked}
	switch c.Format {
	case "json":
		return r.WriteJSON(s.out)
	case "html":
		r.Findings = findingsOf(group.Name, []*journey.Journey{picked})
		return r.WriteHTML(s.out)
	}
	return r.WriteText(s.out, terminalOf(s.out))
}

// form is the form of a run directory that is meant.
func (c *journeyCommand) form(in input) (services.Form, error) {
	switch {
	case in.kind != wholeRun && c.Form != "":
		return "", errors.New("--form picks a form of a run directory")
	case in.kind != wholeRun:
		return "", nil
	case c.Form != "":
		return services.ParseForm(c.Form)
	case slices.Contains(in.run.Forms, string(services.Kafka)):
		return services.Kafka, nil
	}
	return services.Form(in.run.Forms[0]), nil
}

// pick finds the journey that is asked for, else the one with the median completion, the lower of two.
func (c *journeyCommand) pick(group compare.Group) (*journey.Journey, error) {
	if len(group.Journeys) == 0 {
		return nil, fmt.Errorf("%s has no journey", group.Name)
	}
	switch {
	case c.Trace != "":
		trace, err := journey.ParseTraceID(c.Trace)
		if err != nil {
			return nil, usageError{fmt.Errorf("--trace %q: use 32 hexadecimal digits", c.Trace)}
		}
		return find(group, "trace "+c.Trace, func(j *journey.Journey) bool { return slices.Contains(j.Traces(), trace) })
	case c.Order != "":
		return find(group, "order "+c.Order, c.isOrder)
	}
	return journey.Median(group.Journeys), nil
}

// isOrder tells whether a span of the journey carries the order's id or number.
func (c *journeyCommand) isOrder(j *journey.Journey) bool {
	for _, i := range j.Spans() {
		for _, key := range []string{services.KeyOrderID, services.KeyNumber} {
			if value, ok := j.Set().Span(i).Attr(key); ok && value.String() == c.Order {
				return true
			}
		}
	}
	return false
}

func find(group compare.Group, what string, is func(*journey.Journey) bool) (*journey.Journey, error) {
	i := slices.IndexFunc(group.Journeys, is)
	if i < 0 {
		return nil, fmt.Errorf("no %s among the %d journeys of %s", what, len(group.Journeys), group.Name)
	}
	return group.Journeys[i], nil
}
