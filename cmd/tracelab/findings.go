package main

import (
	"fmt"
	"slices"

	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/journey/report"
)

// findingsOf is what the rules say of journeys, for a page: each rule once, with how often, and the first that it is
// about. Only what concerns the journeys' own traces counts.
func findingsOf(name string, journeys []*journey.Journey) []report.Finding {
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
	times := map[string]int{}
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
	list := make([]report.Finding, len(first))
	for i, f := range first {
		text := fmt.Sprintf("%s: %d ×, such as: %s", name, times[f.Rule], f.Text)
		list[i] = report.Finding{Rule: f.Rule, Level: f.Level.String(), Text: text, Fix: f.Fix}
	}
	return list
}
