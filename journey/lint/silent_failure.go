package lint

import (
	"slices"

	"tracelab/journey"
)

// silentFailure looks in journeys whose root is fine for failed spans that are not below it by calls alone: what fails
// there is no longer the caller's to see. A handling that was tried again and ended well is no failure.
func silentFailure(c *Pass) {
	var tops []journey.Index
	var again map[journey.Index]journey.Index
	for _, j := range c.set.Journeys() {
		root, ok := j.Root()
		if !ok || c.set.Span(root).Status == journey.StatusError {
			continue
		}
		first, n := none, 0
		for _, i := range j.Spans() {
			if c.set.Span(i).Status != journey.StatusError {
				continue
			}
			if tops == nil {
				tops, again = c.callTops(), c.triedAgain()
			}
			if tops[i] == root || c.endedWell(tops[i], again) {
				continue
			}
			if n++; first == none {
				first = i
			}
		}
		if first != none {
			c.found(root, "%s is fine, and of the work that it caused later %s failed, first %s in trace %s", c.at(root), counted(n, "span"), c.at(first), c.set.Span(first).Trace)
		}
	}
}

// triedAgain returns, by handling that failed, the one that came after it.
func (v *view) triedAgain() map[journey.Index]journey.Index {
	again := map[journey.Index]journey.Index{}
	for k := range v.messages {
		for e := range v.set.Causes(journey.Index(k)) {
			if e.Class == journey.ClassRetry {
				again[e.From] = journey.Index(k)
			}
		}
	}
	return again
}

// endedWell reports whether a handling was tried again, and the last time did not fail.
func (v *view) endedWell(handling journey.Index, again map[journey.Index]journey.Index) bool {
	last, tried := handling, false
	for next, ok := again[last]; ok; next, ok = again[last] { // it ends: each begins after the one before has ended
		last, tried = next, true
	}
	return tried && !v.set.Failed(last)
}

// callTops returns for each span the one at which its chain of callers starts.
func (v *view) callTops() []journey.Index {
	tops := slices.Repeat([]journey.Index{none}, len(v.messages))
	var chain []journey.Index
	for k := range tops {
		at := journey.Index(k)
		for tops[at] == none {
			chain = append(chain, at)
			caller, ok := v.set.Caller(at)
			if !ok {
				tops[at] = at
				break
			}
			at = caller
		}
		for _, i := range chain {
			tops[i] = tops[at]
		}
		chain = chain[:0]
	}
	return tops
}
