package page

import (
	"fmt"

	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/journey/report"
)

// maxFindings bounds the findings, and the warnings, of a page.
const maxFindings = 50

// findingsView is what lint's rules find in the traces of a journey, and what the judge warns of.
type findingsView struct {
	Findings []findingView
	Warnings []findingView
	N        int // findings, those that are not shown included
	Left     string
}

type findingView struct {
	Rule, Level, Text, Fix string
	Href                   string // of the span; "" for none
}

// findingsOf checks the traces of a journey.
func findingsOf(j *journey.Journey, q journeyQuery) findingsView {
	q.Tab = tabSpans
	found := lint.Check(j.Set()).Findings
	v := findingsView{N: len(found)}
	for _, f := range found[:min(len(found), maxFindings)] {
		view := findingView{Rule: string(f.Rule), Level: f.Level.String(), Text: clip(f.Text, headerLimit), Fix: clip(f.Fix, headerLimit)}
		if !f.Span.IsZero() {
			view.Href = q.withSpan(f.Span)
		}
		v.Findings = append(v.Findings, view)
	}
	if more := len(found) - len(v.Findings); more > 0 {
		v.Left = fmt.Sprintf("and %d more findings; lint in a terminal lists all", more)
	}
	for _, w := range report.CollapseWarnings(j.Warnings()) {
		if len(v.Warnings) < maxFindings {
			v.Warnings = append(v.Warnings, findingView{Rule: string(w.Rule), Text: clip(w.Text, headerLimit)})
		}
	}
	return v
}
