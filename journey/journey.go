package journey

import (
	"cmp"
	"slices"
	"time"
)

// Journey is a root and everything it caused, over all traces. The zero Journey has no spans.
type Journey struct {
	set       *Set
	root      Index
	last      Index // the span with the latest effective end
	spans     []Index
	unreached []Index
	traces    []int32 // numbers, the root's first
	start     int64
	end       int64
}

// Set returns the set that the journey is part of; for the zero Journey, an empty one.
func (j *Journey) Set() *Set {
	if j.set == nil {
		return new(Set)
	}
	return j.set
}

// Root returns the span at which the journey starts, and false for a rootless one.
func (j *Journey) Root() (Index, bool) {
	if !j.rooted() {
		return none, false
	}
	return j.root, true
}

func (j *Journey) rooted() bool { return j.set != nil && j.root != none }

// First returns the root, or without one the earliest span, and false for a journey without spans.
func (j *Journey) First() (Index, bool) {
	if len(j.spans) == 0 {
		return none, false
	}
	return j.first(), true
}

// Len returns how many spans the journey has.
func (j *Journey) Len() int { return len(j.spans) }

// Spans returns the spans of the journey in the set's order, in a slice of the caller's own.
func (j *Journey) Spans() []Index { return slices.Clone(j.spans) }

// Position returns where span i stands in Spans, and false when it is not in the journey. O(log n) at most.
func (j *Journey) Position(i Index) (int, bool) {
	if len(j.spans) == 0 {
		return 0, false
	}
	return j.position(i)
}

// Unreached returns the spans of the journey's traces that no journey reached, in the set's order. They are on no path and
// in no measure. Where several journeys reach a trace, the first of JourneysOf has them; so each span of a set is in one
// journey or more, or unreached in exactly one, or shared.
func (j *Journey) Unreached() []Index { return slices.Clone(j.unreached) }

// Start returns the start of the root, or of the earliest span without one, in nanoseconds since the Unix epoch.
func (j *Journey) Start() int64 { return j.start }

// Traces returns the ids of all its traces: the first span's, then in the order in which they appear.
func (j *Journey) Traces() []TraceID {
	ids := make([]TraceID, 0, len(j.traces))
	seen := make(map[int32]bool, len(j.traces))
	add := func(i Index) {
		if n := &j.set.nodes[i]; !seen[n.trace] {
			seen[n.trace] = true
			ids = append(ids, j.set.spans[n.span].Trace)
		}
	}
	if j.rooted() {
		add(j.root)
	}
	for _, i := range j.spans {
		add(i)
	}
	return ids
}

// Contains reports whether span i belongs to the journey: O(log n).
func (j *Journey) Contains(i Index) bool {
	if len(j.spans) == 0 {
		return false
	}
	_, ok := j.position(i)
	return ok
}

// position finds a span in spans. In a set of one journey they are consecutive numbers.
func (j *Journey) position(i Index) (int, bool) {
	first, n := j.spans[0], len(j.spans)
	if int(j.spans[n-1]-first) == n-1 {
		at := int(i - first)
		return at, at >= 0 && at < n
	}
	return slices.BinarySearch(j.spans, i)
}

// CallerWait returns how long the root lasted, and false for a rootless journey.
func (j *Journey) CallerWait() (time.Duration, bool) {
	if !j.rooted() {
		return 0, false
	}
	return time.Duration(j.set.nodes[j.root].end - j.start), true
}

// Completion returns the time from the journey's start to its latest effective end.
func (j *Journey) Completion() time.Duration { return time.Duration(j.end - j.start) }

// Tail returns completion less caller wait, and false for a rootless journey. It is never negative.
func (j *Journey) Tail() (time.Duration, bool) {
	wait, ok := j.CallerWait()
	if !ok {
		return 0, false
	}
	return j.Completion() - wait, true
}

// Median returns the journey with the median completion, the lower of two, and of equals the first. A journey that stands for
// several, by its Weight, counts as these. It returns nil without journeys, and does not change the list.
func Median(journeys []*Journey) *Journey {
	if len(journeys) == 0 {
		return nil
	}
	sorted := slices.Clone(journeys)
	slices.SortStableFunc(sorted, func(a, b *Journey) int { return cmp.Compare(a.Completion(), b.Completion()) })
	weights := Weights(sorted)
	if weights == nil {
		return sorted[(len(sorted)-1)/2]
	}
	half := 0.0
	for _, w := range weights {
		half += w / 2
	}
	at := 0
	for below := weights[0]; below < half && at < len(sorted)-1; below += weights[at] {
		at++
	}
	return sorted[at]
}

// Warnings returns what was found wrong with the spans of the journey's traces, and with the journey itself. There are at
// most 100 of one rule: the last of them stands for the rest.
func (j *Journey) Warnings() []Warning {
	var l warningList
	for _, i := range mergeSorted(j.spans, j.unreached) {
		for _, f := range j.set.findingsOf(i) {
			l.add(f.rule.id(), func() Warning { return j.set.warning(f) })
		}
	}
	j.ownWarnings(&l)
	return l.warnings()
}

func mergeSorted(a, b []Index) []Index {
	if len(b) == 0 {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return all
}

// Journeys returns all journeys, by start, then by their first span, in a slice of the caller's own.
func (s *Set) Journeys() []*Journey {
	if s == nil {
		return nil
	}
	return slices.Clone(s.journeys)
}

// JourneyFrom returns the journey whose root is span i, and false when there is none.
func (s *Set) JourneyFrom(i Index) (*Journey, bool) {
	if i < 0 || int(i) >= s.Len() {
		return nil, false
	}
	for _, j := range s.traceJourneys[s.nodes[i].trace] {
		if j.root == i {
			return j, true
		}
	}
	return nil, false
}

// JourneysOf returns the journeys that reach a trace: the one with its root there first, then by start.
func (s *Set) JourneysOf(trace TraceID) []*Journey {
	if s.Len() == 0 {
		return nil
	}
	n, ok := s.traces.Lookup(trace)
	if !ok {
		return nil
	}
	return slices.Clone(s.traceJourneys[n])
}
