package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tracelab/internal/hint"
	"tracelab/internal/traceset"
	"tracelab/journey"
)

// inputFlags are the flags of all commands that read traces.
type inputFlags struct {
	Jaeger  string        `help:"Ask this Jaeger: for jaeger:TRACEID (default there ${jaeger}), for --service, and for what a file refers to and does not have." placeholder:"URL|grpc://HOST:PORT"`
	Service string        `help:"Read the traces of this service from that Jaeger, as one more input." placeholder:"NAME"`
	Since   time.Duration `help:"Of --service: how far to look back (default ${default})." default:"1h" placeholder:"DURATION"`
	Limit   int           `help:"Of --service: how many traces at the most (default ${default})." default:"1500" placeholder:"N"`
	By      []string      `help:"Ask also for traces with the same value of these attributes, such as the id of an order." placeholder:"ATTRIBUTE"`
	Strict  bool          `help:"Exit with 3 when a part of an input was damaged or is not all that there may be."`
}

// resolver makes a resolver of the arguments from the flags.
func (f inputFlags) resolver(s *streams, without ...journey.Selector) *traceset.Resolver {
	return &traceset.Resolver{Stdin: s.in, Jaeger: f.Jaeger, Service: f.Service, Since: f.Since, Limit: f.Limit, By: f.By, Without: without}
}

// resolve returns the inputs that the arguments name.
func resolve(resolver *traceset.Resolver, names []string) ([]traceset.Input, error) {
	inputs, err := resolver.Resolve(names)
	if _, beside := errors.AsType[*traceset.StandsBesideError](err); beside || errors.Is(err, traceset.ErrNothingNamed) {
		return nil, usageError{err}
	}
	return inputs, err
}

// joined returns all inputs that the arguments name as one set.
func joined(resolver *traceset.Resolver, names []string) (traceset.Input, error) {
	inputs, err := resolve(resolver, names)
	if err != nil {
		return nil, err
	}
	in, err := resolver.Join(inputs)
	if _, beside := errors.AsType[*traceset.StandsBesideError](err); beside {
		return nil, usageError{err}
	}
	return in, err
}

// oneForm returns what a question about one form is asked of: the only form of a run, and any other input as it is. A run of several forms is an
// error that shows how one is named.
func oneForm(in traceset.Input, what string) (traceset.Input, error) {
	run, ok := in.(traceset.Run)
	switch {
	case !ok:
		return in, nil
	case len(run.Forms) == 1:
		return run.Form(run.Forms[0])
	}
	return nil, usageError{fmt.Errorf("%s has %d forms: say which one%s, such as %s", run.Dir, len(run.Forms), what, hint.Quote(run.Dir+"/"+run.Forms[0]))}
}

// incomplete lists the rules whose warnings say that something of an input is missing.
var incomplete = []journey.RuleID{journey.RuleDamaged, journey.RuleNoID, journey.RuleFormatLoss, journey.RuleSearchCut}

// check fails for an input that --strict refuses.
func (f inputFlags) check(name string, warnings []journey.Warning) error {
	i := slices.IndexFunc(warnings, func(w journey.Warning) bool { return slices.Contains(incomplete, w.Rule) })
	if !f.Strict || i < 0 {
		return nil
	}
	return &traceset.ReadError{Err: fmt.Errorf("--strict: %s was not read whole: %s", name, warnings[i].Text)}
}
