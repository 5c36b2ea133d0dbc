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

// JaegerTraces is traces in a Jaeger: those with some ids, or those that a search finds.
type JaegerTraces struct {
	resolver *Resolver
	name     string
	base     string // where the Jaeger is
	traces   []journey.TraceID
	search   *source.Query
}

// searched returns the input that Service asks for; ok is false without a service.
func (r *Resolver) searched(now time.Time) (in JaegerTraces, ok bool) {
	if r.Service == "" {
		return in, false
	}
	return JaegerTraces{resolver: r, name: "service " + r.Service, base: cmp.Or(r.Jaeger, jaeger.DefaultBase),
		search: &source.Query{Service: r.Service, Start: now.Add(-r.Since), End: now, Limit: r.Limit}}, true
}

// address makes an input of the address of something in a Jaeger, or two of that of a comparison.
func (r *Resolver) address(text string, now time.Time) ([]Input, error) {
	address, err := jaeger.ParseAddress(text, now)
	if err != nil {
		return nil, &ReadError{err}
	}
	one := JaegerTraces{resolver: r, name: text, base: cmp.Or(address.Base, r.Jaeger, jaeger.DefaultBase), traces: address.Traces, search: address.Search}
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
func (s JaegerTraces) Name() string { return s.name }

// About is where the Jaeger is.
func (s JaegerTraces) About() []string { return []string{"from the Jaeger at " + s.base} }

// Spans fetches the traces, and then what those refer to.
func (s JaegerTraces) Spans(ctx context.Context) (Spans, error) {
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
		all.Add(source.Result{Spans: result.Spans, Warnings: result.Warnings})
	}
	if s.search != nil {
		result, err := store.Search(ctx, *s.search)
		if err != nil {
			return Spans{}, unread(err)
		}
		if len(result.Spans) == 0 {
			return Spans{}, unread(fmt.Errorf("%s at %s has no trace since %s: look further back with --since", s.name, s.base, s.search.Start.Format(time.RFC3339)))
		}
		all.Add(source.Result{Spans: result.Spans, Warnings: result.Warnings})
	}
	return s.resolver.completeFrom(ctx, all, store)
}

// Group fetches the journeys of the traces that were asked for. It leaves out the journeys of traces that were fetched only because
// those refer to them.
func (s JaegerTraces) Group(ctx context.Context) (compare.Group, []journey.Warning, error) {
	spans, err := s.Spans(ctx)
	if err != nil {
		return compare.Group{}, nil, err
	}
	group, warnings := groupOf(s.name, spans, s.resolver.options())
	if len(s.traces) > 0 {
		group.Journeys = slices.DeleteFunc(group.Journeys, func(j *journey.Journey) bool {
			return !slices.ContainsFunc(j.Traces(), func(id journey.TraceID) bool { return slices.Contains(s.traces, id) })
		})
	}
	return group, warnings, nil
}

// complete asks the resolver's Jaeger, if it has one, for what the spans refer to.
func (r *Resolver) complete(ctx context.Context, result source.Result) (Spans, error) {
	if r.Jaeger == "" {
		return read(result), nil
	}
	store, err := jaeger.Open(r.Jaeger)
	if err != nil {
		return Spans{}, unread(err)
	}
	defer func() { _ = store.Close() }() // nothing was written
	return r.completeFrom(ctx, result, store)
}

func (r *Resolver) completeFrom(ctx context.Context, result source.Result, store source.Store) (Spans, error) {
	completion, err := source.Complete(ctx, result.Spans, store, source.WithKeys(r.By...))
	if err != nil {
		return Spans{}, unread(fmt.Errorf("ask for what the traces refer to: %w", err))
	}
	return Spans{Spans: completion.Spans, Warnings: append(result.Warnings, completion.Warnings...), Damaged: result.DamagedTraces, absence: completion.Absence}, nil
}
