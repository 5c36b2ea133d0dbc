package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

// jaegerFlags name a Jaeger for the commands that read traces.
type jaegerFlags struct {
	Jaeger  string        `help:"Ask this Jaeger: for jaeger:TRACEID (default there ${jaeger}), for --service, and for what a file refers to and does not have." placeholder:"URL|grpc://HOST:PORT"`
	Service string        `help:"Read the traces of this service from that Jaeger, as one more input." placeholder:"NAME"`
	Since   time.Duration `help:"Of --service: how far to look back (default ${default})." default:"1h" placeholder:"DURATION"`
	Limit   int           `help:"Of --service: how many traces at the most (default ${default})." default:"1500" placeholder:"N"`
	By      []string      `help:"Ask also for traces with the same value of these attributes, such as the id of an order." placeholder:"ATTRIBUTE"`
}

// searched is the input that --service stands for; ok is false without it.
func (f jaegerFlags) searched(now time.Time) (in input, ok bool) {
	if f.Service == "" {
		return in, false
	}
	return input{name: "service " + f.Service, kind: ofJaeger, base: cmp.Or(f.Jaeger, jaeger.DefaultBase),
		search: &source.Query{Service: f.Service, Start: now.Add(-f.Since), End: now, Limit: f.Limit}}, true
}

// address makes inputs of text that names something in a Jaeger: one for each side of a comparison.
func (f jaegerFlags) address(text string, now time.Time) ([]input, error) {
	address, err := jaeger.ParseAddress(text, now)
	if err != nil {
		return nil, err
	}
	one := input{name: text, kind: ofJaeger, base: cmp.Or(address.Base, f.Jaeger, jaeger.DefaultBase), traces: address.Traces, search: address.Search}
	if !address.Comparison {
		return []input{one}, nil
	}
	var sides []input
	for _, id := range address.Traces {
		side := one
		side.name, side.traces = "jaeger:"+id.String(), []journey.TraceID{id}
		sides = append(sides, side)
	}
	return sides, nil
}

// fetch reads an input's traces from its Jaeger, and then what those refer to.
func (f jaegerFlags) fetch(ctx context.Context, in input) (completed, error) {
	store, err := jaeger.Open(in.base)
	if err != nil {
		return completed{}, err
	}
	defer func() { _ = store.Close() }() // nothing was written
	var spans []journey.Span
	var warnings []journey.Warning
	for _, id := range in.traces {
		result, err := store.Trace(ctx, id)
		if err != nil {
			return completed{}, err
		}
		spans, warnings = append(spans, result.Spans...), append(warnings, result.Warnings...)
	}
	if in.search != nil {
		result, err := store.Search(ctx, *in.search)
		if err != nil {
			return completed{}, err
		}
		if len(result.Spans) == 0 {
			return completed{}, fmt.Errorf("%s at %s has no trace since %s: look further back with --since", in.name, in.base, in.search.Start.Format(time.RFC3339))
		}
		spans, warnings = append(spans, result.Spans...), append(warnings, result.Warnings...)
	}
	return f.complete(ctx, spans, warnings, store)
}

// completed are spans with what a store had of what they refer to.
type completed struct {
	spans    []journey.Span
	warnings []string
	absence  func(journey.Ref) journey.Absence // nil when nobody was asked
}

func (f jaegerFlags) complete(ctx context.Context, spans []journey.Span, warnings []journey.Warning, store source.Store) (completed, error) {
	completion, err := source.Complete(ctx, spans, store, source.WithKeys(f.By...))
	if err != nil {
		return completed{}, fmt.Errorf("ask for what the traces refer to: %w", err)
	}
	return completed{completion.Spans, texts(append(warnings, completion.Warnings...)), completion.Absence}, nil
}

// lookup answers the rules' question of what became of a span that is not there.
func (c completed) lookup(r journey.Ref) journey.Absence {
	if c.absence == nil {
		return journey.AbsenceUnknown
	}
	return c.absence(r)
}

// isAddress tells whether an error says that text is no address in a Jaeger, so that it may be a file.
func isAddress(err error) bool { return !errors.Is(err, jaeger.ErrNoAddress) }
