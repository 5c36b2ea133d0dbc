package report

import (
	"cmp"
	"slices"

	"tracelab/journey"
)

// Behind lists what the set of a journey has beside it, the earliest first: journeys in other traces, and what is in the journey's own trace below a
// parent that does not exist. When the set is of one unit, that is what came behind the hops at which its trace context broke. It takes time in
// proportion to the set's spans.
func Behind(first *journey.Journey) (others []*journey.Journey) {
	set, own := first.Set(), FirstSpan(first)
	reached := make([]bool, set.Len())
	for _, j := range set.Journeys() {
		for _, i := range j.Spans() {
			reached[i] = true
		}
		if FirstSpan(j) != own {
			others = append(others, j)
		}
	}
	var rest []journey.Span // no journey of the set has one of them, so they are journeys of a set of their own
	for i := range reached {
		if !reached[i] {
			rest = append(rest, *set.Span(journey.Index(i)))
		}
	}
	others = append(others, journey.NewSet(rest).Journeys()...)
	slices.SortStableFunc(others, func(a, b *journey.Journey) int { return cmp.Compare(a.Start(), b.Start()) })
	return others
}

// FirstSpan is the root of a journey, or of one that begins with a message its earliest span.
func FirstSpan(j *journey.Journey) journey.Index {
	if root, ok := j.Root(); ok {
		return root
	}
	set := j.Set()
	return slices.MinFunc(j.Spans(), func(a, b journey.Index) int { return cmp.Compare(set.Span(a).Start, set.Span(b).Start) })
}
