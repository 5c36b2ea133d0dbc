// Package lint checks traces against rules of propagation and of OpenTelemetry's semantic conventions, above all where
// messages are concerned, and says what to do.
//
//	set := journey.NewSet(spans)
//	result := lint.Check(set)
//	err := result.WriteText(os.Stdout, format.Style{}, 0)
//	if result.Counts.AtLeast(lint.LevelWarning) > 0 { … }
//
// The families: M is about the attributes, names and kinds of messaging spans; S about how spans of one message refer to
// each other; P about propagation, whatever carries it; H about HTTP; N about names that grow in number; D about spans as
// they were read. Rules lists them all; WithRules chooses among them and adds rules of your own. To add one here, write a
// function beside those of its family, and a line in that family's list.
//
// A rule reports only what the traces show. Where they leave open whether something is wrong (a missing key may be a record
// without a key), it reports nothing.
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
	Rules    []Rule    // the rules that were applied, without their Check
	Findings []Finding // the gravest first, then by rule, then in the order of the spans
	Counts   Counts
	Warnings []journey.Warning // what of the input is missing or damaged; whoever read it sets them
}

// Option changes how Check works.
type Option func(*options)

type options struct {
	rules  []Rule
	lookup func(journey.Ref) journey.Absence
}

// WithRules applies these rules instead of all. Only and Without choose among Rules; append adds rules of your own.
func WithRules(rules ...Rule) Option {
	return func(o *options) { o.rules = slices.Clone(rules) }
}

// WithLookup gives Check a function that says why a span to which a link refers is not in the set, so that P04 can tell what
// was not fetched from what is not stored. Without it P04 says that it may be either.
func WithLookup(lookup func(journey.Ref) journey.Absence) Option {
	return func(o *options) { o.lookup = lookup }
}

// Check applies all rules to a set. The result depends on nothing but the set and the options. It makes one pass over the
// set for each rule, and sorts the findings: O(n + f log f) time for f findings and n spans, links and memberships of
// spans in journeys.
func Check(set *journey.Set, opts ...Option) Result {
	o := options{rules: Rules()}
	for _, option := range opts {
		if option != nil {
			option(&o)
		}
	}
	if set == nil {
		set = new(journey.Set)
	}
	c := &Pass{view: newView(set), options: o}
	r := Result{}
	for _, rule := range o.rules {
		if rule.Check != nil {
			c.rule = rule
			rule.Check(c)
		}
		rule.Check = nil
		r.Rules = append(r.Rules, rule)
	}
	r.Findings, r.Counts = c.result()
	return r
}

// result sorts the findings and counts them.
func (c *Pass) result() ([]Finding, Counts) {
	slices.SortStableFunc(c.findings, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.span, b.span), strings.Compare(a.Text, b.Text))
	})
	c.findings = slices.Compact(c.findings) // two consumers may show the same of one message
	list := make([]Finding, len(c.findings))
	for i, f := range c.findings {
		list[i] = f.Finding
	}
	return list, countFindings(list)
}

// at names a span in a finding.
func (v *view) at(i journey.Index) string {
	span := v.set.Span(i)
	return span.Name + " of " + span.ServiceName()
}
