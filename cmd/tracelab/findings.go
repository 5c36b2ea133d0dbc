package main

import (
	"fmt"
	"slices"

	"tracelab/journey"
	"tracelab/journey/lint"
)

// findingsOf checks the traces of journeys, for a page: it returns one finding for each rule, with the number of findings and
// the first one. Findings about other traces of the set do not count.
func findingsOf(name string, journeys []*journey.Journey) []lint.Finding {
	traces := map[journey.TraceID]bool{}
	var sets []*journey.Set
	for _, j := range journeys {
		for _, id := range j.Traces() {
			traces[id] = true
		}
		if !slices.Contains(sets, j.Set()) {
			sets = append(sets, j.Set())
		}
	}
	var first []lint.Finding
	times := map[journey.RuleID]int{}
	for _, set := range sets {
		for _, f := range lint.Check(set).Findings {
			if !traces[f.Trace] {
				continue
			}
			if times[f.Rule]++; times[f.Rule] == 1 {
				first = append(first, f)
			}
		}
	}
	for i := range first {
		f := &first[i]
		f.Text = fmt.Sprintf("%s: %d ×, such as: %s", name, times[f.Rule], f.Text)
	}
	return first
}
