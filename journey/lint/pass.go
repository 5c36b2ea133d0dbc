package lint

import (
	"fmt"

	"tracelab/journey"
)

// Pass applies rules to one set, one after the other.
type Pass struct {
	*view
	options  options
	rule     Rule // the one that is applied now
	findings []located
}

// located is a finding with its place in the order.
type located struct {
	Finding
	span journey.Index
}

// Set returns the set that is checked.
func (c *Pass) Set() *journey.Set {
	if c.view == nil { // a zero Pass
		return nil
	}
	return c.set
}

// Report adds a finding about a span, with the rule's own advice. The text is one sentence; names stand in it as they were
// read. Findings that are equal are one.
func (c *Pass) Report(i journey.Index, text string) { c.ReportFix(i, text, c.rule.Fix) }

// ReportFix adds a finding about a span, with advice for this case.
func (c *Pass) ReportFix(i journey.Index, text, fix string) {
	ref := c.Set().Span(i).Ref()
	c.findings = append(c.findings, located{span: i, Finding: Finding{
		Rule: c.rule.ID, Level: c.rule.Level, Trace: ref.Trace, Span: ref.Span, Text: text, Fix: fix,
	}})
}

// found formats a finding with the rule's own advice.
func (c *Pass) found(i journey.Index, format string, args ...any) {
	c.Report(i, fmt.Sprintf(format, args...))
}

// foundAdvice formats a finding that is advice, whatever the rule's level is.
func (c *Pass) foundAdvice(i journey.Index, format string, args ...any) {
	c.found(i, format, args...)
	c.findings[len(c.findings)-1].Level = LevelAdvice
}

// foundFix formats a finding with advice for this case.
func (c *Pass) foundFix(i journey.Index, fix, format string, args ...any) {
	c.ReportFix(i, fmt.Sprintf(format, args...), fix)
}
