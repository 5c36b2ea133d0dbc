package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tracelab/internal/traceset"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/report"
	"tracelab/services"
)

// journeyCommand is `tracelab journey`.
type journeyCommand struct {
	Inputs     []string `arg:"" optional:"" name:"input" help:"A run directory, one form of it (RUN/grpc), a file of OTLP or Jaeger traces, - for standard input, jaeger:TRACEID, or the address of a trace in the Jaeger UI. Several files, or forms of a run, are read as one set."`
	Trace      string   `help:"The journey that reaches this trace." placeholder:"ID" xor:"pick"`
	Order      string   `help:"The journey of this order: its id, or its number." placeholder:"ID" xor:"pick"`
	Slowest    bool     `help:"The journey that took longest to complete." xor:"pick"`
	Failed     bool     `help:"The slowest of the journeys in which a span failed." xor:"pick"`
	List       bool     `help:"List the journeys instead: by root, the slowest, and those that failed." xor:"pick"`
	Attributes bool     `help:"Show the attributes of each span."`
	Form       string   `help:"In a run directory, the form (default: kafka)." placeholder:"NAME"`
	Headers    bool     `env:"TRACELAB_JOURNEY_HEADERS" help:"Show what crossed each hop, as spans have kept it: see run --headers."`
	Format     string   `help:"Of the report: text, json or html (default ${default})." enum:"text,json,html" default:"text" placeholder:"NAME"`
	chooseFlags
	inputFlags
}

// Run reads the input, picks a journey and prints it.
func (c *journeyCommand) Run(ctx context.Context, s *streams) error {
	limitMemory(readingLimit)
	in, err := c.input(s)
	if err != nil {
		return err
	}
	group, warnings, err := in.Group(ctx)
	if err != nil {
		return err
	}
	if err := c.check(in.Name(), warnings); err != nil {
		return err
	}
	if group.Baseline != nil {
		_, err := in.Spans(ctx) // its error says why there are none
		return err
	}
	if group, err = c.choose(group); err != nil {
		return err
	}
	for _, w := range report.CollapseWarnings(warnings) {
		s.talk("warning: %s", w.Text)
	}
	if c.List {
		return c.list(s, group)
	}
	picked, why, err := c.pick(group)
	if err != nil {
		return err
	}
	about := append(append(in.About(), c.about()...), why+outcome(picked))
	if reason, ok := picked.Incomplete(); ok {
		about = append(about, "incomplete: "+reason+"; it is in no figure of a set")
	}
	r := report.Journey{Of: picked, From: in.Name(), Group: formOf(picked), Color: formColor(formOf(picked)), About: about, Headers: c.Headers, Attributes: c.Attributes}
	switch c.Format {
	case "json":
		return r.WriteJSON(s.out)
	case "html":
		r.Findings = findingsOf(group.Name, []*journey.Journey{picked})
		return r.WriteHTML(s.out)
	}
	return r.WriteText(s.out, terminalOf(s.out))
}

// list prints the list of journeys.
func (c *journeyCommand) list(s *streams, group compare.Group) error {
	list := report.Journeys{Name: group.Name, Of: group.Journeys, IncludeIncomplete: c.IncludeIncomplete}
	switch c.Format {
	case "json":
		return list.WriteJSON(s.out)
	case "html":
		return usageError{errors.New("--list is text or JSON: there is no page of it")}
	}
	return list.WriteText(s.out, terminalOf(s.out))
}

// input returns the input that the arguments name; for a run directory, one form of it.
func (c *journeyCommand) input(s *streams) (traceset.Input, error) {
	without, err := c.selectors()
	if err != nil {
		return nil, err
	}
	in, err := joined(c.resolver(s, without...), c.Inputs)
	if err != nil {
		return nil, err
	}
	run, isRun := in.(traceset.Run)
	switch {
	case !isRun && c.Form != "":
		return nil, usageError{errors.New("--form picks a form of a run directory")}
	case !isRun:
		return in, nil
	case c.Form != "":
		return run.Form(c.Form)
	case slices.Contains(run.Forms, string(services.Kafka)):
		return run.Form(string(services.Kafka))
	}
	return run.Form(run.Forms[0])
}

// pick finds the journey that is asked for, else the one with the median completion, the lower of two. Of incomplete journeys the
// completion is not known, so they are neither the median nor the slowest, unless all are. It says which of how many that is,
// and why.
func (c *journeyCommand) pick(group compare.Group) (picked *journey.Journey, why string, err error) {
	if len(group.Journeys) == 0 {
		return nil, "", &traceset.ReadError{Err: fmt.Errorf("%s has no journey", group.Name)}
	}
	reason := "the one with the median completion"
	whole, left := c.whole(group)
	measured, incomplete := whole.Journeys, len(group.Journeys)-len(whole.Journeys)
	if len(measured) == 0 {
		measured = group.Journeys
	}
	switch {
	case c.Trace != "":
		trace, err := journey.ParseTraceID(c.Trace)
		if err != nil {
			return nil, "", usageError{fmt.Errorf("--trace %q: use 32 hexadecimal digits", c.Trace)}
		}
		picked, err = find(group, "trace "+c.Trace, func(j *journey.Journey) bool { return slices.Contains(j.Traces(), trace) })
		if err != nil {
			return nil, "", err
		}
		reason = "the one with that trace"
	case c.Order != "":
		if picked, err = find(group, "order "+c.Order, c.isOrder); err != nil {
			return nil, "", err
		}
		reason = "the one of that order"
	case c.Slowest:
		picked, reason = report.Slowest(measured)[0], "the slowest"
	case c.Failed:
		failed := report.Failed(group.Journeys)
		if len(failed) == 0 {
			return nil, "", fmt.Errorf("none of the %d journeys of %s failed", len(group.Journeys), group.Name)
		}
		picked, reason = report.Slowest(failed)[0], fmt.Sprintf("the slowest of the %d that failed", len(failed))
	default:
		picked = journey.Median(measured)
	}
	if len(left) > 0 {
		reason += fmt.Sprintf("; %d of them are incomplete: %s", incomplete, left[0].Reason)
	}
	return picked, fmt.Sprintf("%s in %s: %s", whichOf(attribute(picked, services.KeyNumber), len(group.Journeys)), group.Name, reason), nil
}

// whichOf says which of how many journeys one is, by its order's number, or "". Where only some orders of a run are, the numbers go beyond their count.
func whichOf(number string, journeys int) string {
	if number == "" {
		return fmt.Sprintf("1 of %d", journeys)
	}
	if n, err := strconv.Atoi(number); err == nil && n > journeys {
		return fmt.Sprintf("order %s, one of %d", number, journeys)
	}
	return fmt.Sprintf("order %s of %d", number, journeys)
}

// attribute returns the first value of an attribute among the spans of the journey, "" when none has it.
func attribute(j *journey.Journey, key string) string {
	for _, i := range j.Spans() {
		if value, ok := j.Set().Span(i).Attr(key); ok {
			return value.String()
		}
	}
	return ""
}

// outcome says that the journey failed, and where; "" when it did not.
func outcome(j *journey.Journey) string {
	errs := j.Errors()
	if len(errs.Own) == 0 {
		return ""
	}
	var where []string
	for _, i := range errs.Own[:min(3, len(errs.Own))] {
		span := j.Set().Span(i)
		where = append(where, span.Service+" "+span.Name)
	}
	text := "; it failed: " + strings.Join(where, ", ")
	if errs.Silent {
		text += ", which its caller was not told"
	}
	return text
}

// isOrder reports whether a span of the journey has the order's id or number.
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
