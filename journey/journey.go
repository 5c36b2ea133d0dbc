package journey

import "slices"

// Journey is a root and everything it caused, over all traces.
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

// Set returns the set that the journey is part of.
func (j *Journey) Set() *Set { return j.set }

// Root returns the span at which the journey starts, and false for a rootless one.
func (j *Journey) Root() (Index, bool) { return j.root, j.root != none }

// Spans returns the spans of the journey in the set's order. The slice must not be changed.
func (j *Journey) Spans() []Index { return j.spans }

// Unreached returns the spans of the journey's traces that nothing leads to from any root, in the set's order. They are
// findings: on no path, and in no measure. Where several journeys reach a trace, the first of JourneysOf has them; so
// each span of a set is in one journey or more, or unreached in exactly one, or shared.
func (j *Journey) Unreached() []Index { return j.unreached }

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
	if j.root != none {
		add(j.root)
	}
	for _, i := range j.spans {
		add(i)
	}
	return ids
}

// Contains reports whether span i belongs to the journey: O(log n).
func (j *Journey) Contains(i Index) bool {
	_, ok := j.position(i)
	return ok
}

// position finds a span in spans. The spans of a journey that has its file to itself follow each other.
func (j *Journey) position(i Index) (int, bool) {
	first, n := j.spans[0], len(j.spans)
	if int(j.spans[n-1]-first) == n-1 {
		at := int(i - first)
		return at, at >= 0 && at < n
	}
	return slices.BinarySearch(j.spans, i)
}

// CallerWait returns how long the root lasted, in nanoseconds, and false for a rootless journey.
func (j *Journey) CallerWait() (int64, bool) {
	if j.root == none {
		return 0, false
	}
	return j.set.nodes[j.root].end - j.start, true
}

// Completion returns the time from the journey's start to its latest effective end, in nanoseconds.
func (j *Journey) Completion() int64 { return j.end - j.start }

// Tail returns completion less caller wait, in nanoseconds, and false for a rootless journey. It is never negative.
func (j *Journey) Tail() (int64, bool) {
	wait, ok := j.CallerWait()
	return j.Completion() - wait, ok
}

// Warnings returns what was found wrong with the spans of the journey's traces, and with the journey itself.
func (j *Journey) Warnings() []Warning {
	var list []Warning
	for _, i := range mergeSorted(j.spans, j.unreached) {
		for _, f := range j.set.findingsOf(i) {
			list = append(list, j.set.warning(f))
		}
	}
	return append(list, j.ownWarnings()...)
}

func mergeSorted(a, b []Index) []Index {
	if len(b) == 0 {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return all
}

// Journeys returns all journeys, by start, then by their first span.
func (s *Set) Journeys() []*Journey { return s.journeys }

// JourneyFrom returns the journey whose root is span i, and false when there is none.
func (s *Set) JourneyFrom(i Index) (*Journey, bool) {
	for _, j := range s.traceJourneys[s.nodes[i].trace] {
		if j.root == i {
			return j, true
		}
	}
	return nil, false
}

// JourneysOf returns the journeys that reach a trace: the one with its root there first, then by start.
func (s *Set) JourneysOf(trace TraceID) []*Journey {
	n, ok := s.traces.lookup(trace)
	if !ok {
		return nil
	}
	return s.traceJourneys[n]
}
