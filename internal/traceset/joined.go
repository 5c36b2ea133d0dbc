package traceset

import (
	"context"
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// Joined is several inputs as one set, so that a span of one file may refer to a span of another. When no journey has spans
// of several parts, each part counts as a run of the system of its own.
type Joined struct {
	Parts   []Input
	Label   string // what the set is called; "" joins the parts' names
	options []journey.Option
}

// Name is the label, or joins the parts' names.
func (j Joined) Name() string {
	if j.Label != "" {
		return j.Label
	}
	name := ""
	for i, part := range j.Parts {
		if i > 0 {
			name += " + "
		}
		name += part.Name()
	}
	return name
}

// Spans reads the parts. Absence answers for the last part for which a store was asked.
func (j Joined) Spans(ctx context.Context) (Spans, error) {
	var all Spans
	for _, part := range j.Parts {
		one, err := part.Spans(ctx)
		if err != nil {
			return Spans{}, err
		}
		all.add(one)
	}
	return all, nil
}

// shared stands for the part of a trace that has spans in several parts.
const shared = -1

// runsOf returns, for each journey, the part that it comes from. It returns nil when a journey comes from several: then the
// parts are pieces of one set, such as a file for each service.
func runsOf(journeys []*journey.Journey, parts map[journey.TraceID]int) []int {
	runs := make([]int, len(journeys))
	for k, j := range journeys {
		for i, id := range j.Traces() {
			part := parts[id]
			if part == shared || i > 0 && part != runs[k] {
				return nil
			}
			runs[k] = part
		}
	}
	return runs
}

// Group reads the journeys of all parts together.
func (j Joined) Group(ctx context.Context) (compare.Group, []journey.Warning, error) {
	var all Spans
	parts := make(map[journey.TraceID]int)
	for i, part := range j.Parts {
		one, err := part.Spans(ctx)
		if err != nil {
			return compare.Group{}, nil, err
		}
		all.add(one)
		for k := range one.Spans {
			id := one.Spans[k].Trace
			if of, ok := parts[id]; ok && of != i {
				parts[id] = shared
			} else {
				parts[id] = i
			}
		}
	}
	group, warnings := groupOf(j.Name(), all, j.options)
	group.Runs = runsOf(group.Journeys, parts)
	return group, warnings, nil
}

// About is what the parts say, each line once.
func (j Joined) About() []string {
	var all [][]string
	for _, part := range j.Parts {
		about := part.About()
		if !slices.ContainsFunc(all, func(other []string) bool { return slices.Equal(other, about) }) {
			all = append(all, about)
		}
	}
	return slices.Concat(all...)
}
