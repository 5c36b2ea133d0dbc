// Package lint checks traces against rules of propagation and of OpenTelemetry's semantic conventions, above all where
// messages are concerned, and says what to do.
//
//	set := journey.NewSet(spans)
//	result := lint.Check(set)
//	err := result.WriteText(os.Stdout, format.Style{}, 0)
//	if result.Counts.AtLeast(lint.LevelWarning) > 0 { … }
//
// The families: M is about the attributes, names and kinds of messaging spans; S about how spans of one message refer to
// each other; P about propagation, whatever carries it; H about HTTP; N about names that grow in number. Rules lists them
// all. How to add one: write a function beside those of its family, and a line in that family's list.
//
// A rule speaks only of what the traces show. Where they leave open whether something is wrong (a missing key may be a
// record without a key), it is silent.
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
)

// Level tells how much a finding matters.
type Level uint8

// The levels, the gravest first.
const (
	LevelError   Level = iota // traces are broken, or cannot be joined
	LevelWarning              // somebody who reads the traces will be misled
	LevelAdvice               // better otherwise
)

// String returns error, warning or advice.
func (l Level) String() string {
	if names := [...]string{"error", "warning", "advice"}; int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// ParseLevel is the inverse of Level.String.
func ParseLevel(s string) (Level, error) {
	for l := LevelError; l <= LevelAdvice; l++ {
		if l.String() == s {
			return l, nil
		}
	}
	return LevelError, fmt.Errorf("level %q is not known: use error, warning or advice", s)
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule  journey.RuleID
	Level Level
	Trace journey.TraceID
	Span  journey.SpanID // the span to look at
	Text  string         // one sentence; names stand in it as they were read
	Fix   string         // what to do
}

// Counts are the numbers of findings.
type Counts struct {
	Error, Warning, Advice int
	Rules                  map[journey.RuleID]int // by ID, only rules that found something
}

// AtLeast returns how many findings are of a level or of a graver one.
func (c Counts) AtLeast(l Level) int {
	n := c.Error
	if l >= LevelWarning {
		n += c.Warning
	}
	if l >= LevelAdvice {
		n += c.Advice
	}
	return n
}

// Result is what Check found.
type Result struct {
	Findings []Finding // the gravest first, then by rule, then in the order of the spans
	Counts   Counts
}

// Option changes how Check works.
type Option func(*options)

type options struct {
	lookup func(journey.Ref) journey.Absence
}

// WithLookup tells Check whom to ask about spans that links name and that are not in the set, so that P04 can tell what
// was not fetched from what is not stored. Without it P04 says that it may be either.
func WithLookup(lookup func(journey.Ref) journey.Absence) Option {
	return func(o *options) { o.lookup = lookup }
}

// Check applies all rules to a set. The result depends on nothing but the set and the options. It makes one pass over the
// set for each rule, and sorts the findings: O(n + f log f) time for f findings and n spans, links and memberships of
// spans in journeys.
func Check(set *journey.Set, opts ...Option) Result {
	var o options
	for _, option := range opts {
		option(&o)
	}
	c := &checker{view: newView(set), options: o}
	for _, r := range Rules() {
		c.apply(r)
	}
	return c.result()
}

// checker applies rules and keeps what they find.
type checker struct {
	*view
	options  options
	rule     Rule // that is applied now
	findings []located
}

// located is a finding with its place in the order.
type located struct {
	Finding
	span journey.Index
}

func (c *checker) apply(r Rule) {
	c.rule = r
	switch {
	case r.message != nil:
		for i, m := range c.messages {
			if m != nil && !m.bare {
				r.message(c, journey.Index(i), m)
			}
		}
	case r.span != nil:
		for i := range c.messages {
			r.span(c, journey.Index(i))
		}
	case r.set != nil:
		r.set(c)
	}
}

// found adds a finding with the rule's own advice.
func (c *checker) found(i journey.Index, format string, args ...any) {
	c.foundFix(i, c.rule.Fix, format, args...)
}

// foundFix adds a finding with advice for this case.
func (c *checker) foundFix(i journey.Index, fix, format string, args ...any) {
	ref := c.set.Span(i).Ref()
	c.findings = append(c.findings, located{span: i, Finding: Finding{
		Rule: c.rule.ID, Level: c.rule.Level, Trace: ref.Trace, Span: ref.Span, Text: fmt.Sprintf(format, args...), Fix: fix,
	}})
}

func (c *checker) result() Result {
	slices.SortStableFunc(c.findings, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.span, b.span), strings.Compare(a.Text, b.Text))
	})
	c.findings = slices.Compact(c.findings) // two consumers may show the same of one message
	r := Result{Findings: make([]Finding, len(c.findings)), Counts: Counts{Rules: map[journey.RuleID]int{}}}
	for i, f := range c.findings {
		r.Findings[i] = f.Finding
		r.Counts.Rules[f.Rule]++
		switch f.Level {
		case LevelError:
			r.Counts.Error++
		case LevelWarning:
			r.Counts.Warning++
		case LevelAdvice:
			r.Counts.Advice++
		}
	}
	return r
}

// at names a span in a finding.
func (v *view) at(i journey.Index) string {
	span := v.set.Span(i)
	if span.Service == "" {
		return span.Name
	}
	return span.Name + " of " + span.Service
}
