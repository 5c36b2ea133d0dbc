package traceset

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

// Stored are traces that a Jaeger has: some by their ids, or those that a search finds.
type Stored struct {
	asker  *Asker
	name   string
	base   string // where the Jaeger is
	traces []journey.TraceID
	search *source.Query
}

// searched is the input that the settings' Service stands for; ok is false without one.
func (a *Asker) searched(now time.Time) (in Stored, ok bool) {
	if a.Service == "" {
		return in, false
	}
	return Stored{asker: a, name: "service " + a.Service, base: cmp.Or(a.Jaeger, jaeger.DefaultBase),
		search: &source.Query{Service: a.Service, Start: now.Add(-a.Since), End: now, Limit: a.Limit}}, true
}

// address makes inputs of text that names something in a Jaeger: one for each side of a comparison.
func (a *Asker) address(text string, now time.Time) ([]Input, error) {
	address, err := jaeger.ParseAddress(text, now)
	if err != nil {
		return nil, err
	}
	one := Stored{asker: a, name: text, base: cmp.Or(address.Base, a.Jaeger, jaeger.DefaultBase), traces: address.Traces, search: address.Search}
	if !address.Comparison {
		return []Input{one}, nil
	}
	var sides []Input
	for _, id := range address.Traces {
		side := one
		side.name, side.traces = "jaeger:"+id.String(), []journey.TraceID{id}
		sides = append(sides, side)
	}
	return sides, nil
}

// Name is what was asked for.
func (s Stored) Name() string { return s.name }

// About is where the Jaeger is.
func (s Stored) About() []string { return []string{"from the Jaeger at " + s.base} }

// Spans fetches the traces, and then what those refer to.
func (s Stored) Spans(ctx context.Context) (Spans, error) {
	store, err := jaeger.Open(s.base)
	if err != nil {
		return Spans{}, unread(err)
	}
	defer func() { _ = store.Close() }() // nothing was written
	var all source.Result
	for _, id := range s.traces {
		result, err := store.Trace(ctx, id)
		if err != nil {
			return Spans{}, unread(err)
		}
		all.Spans, all.Warnings = append(all.Spans, result.Spans...), append(all.Warnings, result.Warnings...)
	}
	if s.search != nil {
		result, err := store.Search(ctx, *s.search)
		if err != nil {
			return Spans{}, unread(err)
		}
		if len(result.Spans) == 0 {
			return Spans{}, unread(fmt.Errorf("%s at %s has no trace since %s: look further back with --since", s.name, s.base, s.search.Start.Format(time.RFC3339)))
		}
		all.Spans, all.Warnings = append(all.Spans, result.Spans...), append(all.Warnings, result.Warnings...)
	}
	return s.asker.completeFrom(ctx, all, store)
}

// Group fetches the journeys of the traces that were asked for. What was fetched besides, because they refer to it, has journeys of its
// own, which are left out.
func (s Stored) Group(ctx context.Context) (compare.Group, []journey.Warning, error) {
	spans, err := s.Spans(ctx)
	if err != nil {
		return compare.Group{}, nil, err
	}
	group, warnings := groupOf(s.name, spans, s.asker.options())
	if len(s.traces) > 0 {
		group.Journeys = slices.DeleteFunc(group.Journeys, func(j *journey.Journey) bool {
			return !slices.ContainsFunc(j.Traces(), func(id journey.TraceID) bool { return slices.Contains(s.traces, id) })
		})
	}
	return group, warnings, nil
}

// complete asks the Jaeger of the settings, if there is one, for what spans refer to.
func (a *Asker) complete(ctx context.Context, read source.Result) (Spans, error) {
	if a.Jaeger == "" {
		return Spans{Spans: read.Spans, Warnings: read.Warnings}, nil
	}
	store, err := jaeger.Open(a.Jaeger)
	if err != nil {
		return Spans{}, unread(err)
	}
	defer func() { _ = store.Close() }() // nothing was written
	return a.completeFrom(ctx, read, store)
}

func (a *Asker) completeFrom(ctx context.Context, read source.Result, store source.Store) (Spans, error) {
	completion, err := source.Complete(ctx, read.Spans, store, source.WithKeys(a.By...))
	if err != nil {
		return Spans{}, unread(fmt.Errorf("ask for what the traces refer to: %w", err))
	}
	return Spans{Spans: completion.Spans, Warnings: append(read.Warnings, completion.Warnings...), absence: completion.Absence}, nil
}
