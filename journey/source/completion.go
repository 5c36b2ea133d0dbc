package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"tracelab/journey"
)

// Missing is a span to which another one refers, as its parent or by a link, and that is still not there.
type Missing struct {
	journey.Ref
	By      journey.Ref // the first span that refers to it
	Link    bool        // by a link
	Absence journey.Absence
	Reason  string // why it was not fetched
}

// Completion is what Complete made of a set of spans.
type Completion struct {
	Spans     []journey.Span // those given, then those that were fetched
	Fetched   int            // how many were fetched
	Questions int            // how many were asked
	Missing   []Missing      // by trace and span

	// Warnings are those of the store; P01 (parents) and P04 (links), which tell what is not stored from what was not fetched;
	// and D12 for searches that failed.
	Warnings []journey.Warning
}

// Absence says why a span is not there. It searches Missing: O(log n).
func (c Completion) Absence(r journey.Ref) journey.Absence {
	i, found := slices.BinarySearchFunc(c.Missing, r, func(m Missing, r journey.Ref) int { return compareRefs(m.Ref, r) })
	if !found {
		return journey.AbsenceUnknown
	}
	return c.Missing[i].Absence
}

// conclude fills in why each missing span is missing, and adds the warnings.
func (c *completer) conclude() {
	slices.SortStableFunc(c.Missing, func(a, b Missing) int { return compareRefs(a.Ref, b.Ref) })
	c.Missing = slices.CompactFunc(c.Missing, func(a, b Missing) bool { return a.Ref == b.Ref })
	for i := range c.Missing {
		m := &c.Missing[i]
		switch err, asked := c.asked[question{trace: m.Trace}]; {
		case asked && (err == nil || errors.Is(err, ErrNotStored)):
			m.Absence = journey.AbsenceNotStored
		case asked:
			m.Absence, m.Reason = journey.AbsenceNotFetched, err.Error()
		default:
			m.Absence, m.Reason = journey.AbsenceNotFetched, c.stopped
		}
	}
	c.failedSearches()
	c.summarize()
}

// failedSearches warns of failed searches: no missing span shows them.
func (c *completer) failedSearches() {
	failed, searches, first := 0, 0, ""
	for _, q := range c.searches() {
		err, asked := c.asked[q]
		searches++
		if asked && err == nil {
			continue
		}
		if failed++; first == "" {
			first = c.stopped
			if err != nil {
				first = err.Error()
			}
		}
	}
	if failed > 0 {
		c.Warnings = append(c.Warnings, journey.Warning{Rule: journey.RuleSearchCut, Text: fmt.Sprintf("%d of %d searches by attribute were not answered, so journeys may lack traces: %s", failed, searches, first)})
	}
}

func (c *completer) searches() []question {
	list := make([]question, 0, len(c.periods))
	for q := range c.periods {
		list = append(list, q)
	}
	slices.SortFunc(list, question.compare)
	return list
}

// summarize writes one warning for each reason, not for each span: there may be many.
func (c *completer) summarize() {
	type reason struct {
		link    bool
		absence journey.Absence
		text    string
	}
	counts, first := make(map[reason]int), make(map[reason]Missing)
	var order []reason
	for _, m := range c.Missing {
		r := reason{m.Link, m.Absence, m.Reason}
		if counts[r]++; counts[r] == 1 {
			first[r], order = m, append(order, r)
		}
	}
	for _, r := range order {
		rule, what := journey.RuleOrphan, "parents"
		if r.link {
			rule, what = journey.RuleLinkTarget, "targets of links"
		}
		text := fmt.Sprintf("%d %s are %s, the first is %s", counts[r], what, r.absence, first[r].Ref)
		if r.text != "" {
			text += ": " + r.text
		}
		c.Warnings = append(c.Warnings, journey.Warning{Rule: rule, Span: first[r].By, Text: text})
	}
}

func compareRefs(a, b journey.Ref) int {
	return cmp.Or(a.Trace.Compare(b.Trace), a.Span.Compare(b.Span))
}
