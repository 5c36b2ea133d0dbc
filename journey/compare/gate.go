package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Gate decides whether groups of journeys stay within limits against a base.
type Gate struct {
	Limits []Limit
}

// Outcome is the outcome of a limit, or of a gate.
type Outcome string

// The outcomes. A limit fails only when the whole 95 % interval lies beyond it, passes only when the whole interval lies
// within it, and is undecided otherwise.
const (
	OutcomePass      Outcome = "pass"
	OutcomeFail      Outcome = "fail"
	OutcomeUndecided Outcome = "undecided"
)

// minRuns is how many runs each side must have for an interval over runs instead of journeys.
const minRuns = minInterval

// detection is how many half-widths beyond a limit a regression must be to be found in 95 of 100 comparisons.
const detection = 1.84

// Check is one limit of a gate, applied to the journeys of one root of one group.
type Check struct {
	Limit Limit
	Root  Root // of the journeys; zero where the groups have one root and were not told apart by it, or none
	Base  string
	Other string

	Outcome Outcome
	Paired  bool // by the pairs' ratios or differences
	Runs    bool // the values are those of runs, not of journeys
	N       int  // pairs; unpaired, the size of the smaller side

	// How much more the measure is than in the base, and its 95 % interval: in shares where the limit is one, else in the
	// measure's unit. Nil where there are too few values, or none that can be compared: Reason says so.
	Delta, Low, High *float64
	Reason           string // why there is no interval, or what to know about the one there is
}

// Judgment is what a gate decided.
type Judgment struct {
	Checks   []Check
	Warnings []string
}

// Outcome returns fail when a check failed, else undecided when one is undecided or there are no checks, else pass.
func (j Judgment) Outcome() Outcome {
	outcome := OutcomePass
	for _, c := range j.Checks {
		if c.Outcome == OutcomeFail {
			return OutcomeFail
		}
		if c.Outcome == OutcomeUndecided {
			outcome = OutcomeUndecided
		}
	}
	if len(j.Checks) == 0 {
		return OutcomeUndecided
	}
	return outcome
}

// Judge applies the limits to each group after the first, which is the base: for each root that both have and that the limit
// names. Options are those of Groups.
func (g Gate) Judge(groups []Group, opts ...Option) Judgment {
	var result Judgment
	if len(groups) == 0 {
		return result
	}
	o := newOptions(opts)
	groups = o.take(groups)
	roots := splitRoots(groups)
	if one, _ := oneKind(groups, roots); one && len(roots) > 0 {
		all := rootGroups{groups: groups}
		if len(roots) == 1 {
			all.root = roots[0].root
		}
		roots = []rootGroups{all}
	}
	for _, l := range g.Limits {
		found := false
		for i := range roots {
			r := &roots[i]
			if l.Root != "" && !r.root.Contains(l.Root) {
				continue
			}
			for _, other := range r.groups[1:] {
				if len(roots) > 1 && (r.groups[0].size() == 0 || other.size() == 0) {
					continue
				}
				found = true
				result.Checks = append(result.Checks, l.check(r.groups[0], other, r.root, o))
			}
		}
		if !found {
			reason := "both sides have no root in common"
			if l.Root != "" {
				reason = fmt.Sprintf("no root that both sides have contains %q", l.Root)
			}
			result.Checks = append(result.Checks, Check{Limit: l, Base: groups[0].Name, Outcome: OutcomeUndecided, Reason: reason})
		}
	}
	for i := range roots {
		if r := &roots[i]; len(roots) > 1 && !r.comparable() {
			result.Warnings = append(result.Warnings, fmt.Sprintf("%s is on one side only, and in no limit", r.root))
		}
	}
	return result
}

// check compares two groups by the limit.
func (l Limit) check(base, other Group, root Root, o options) Check {
	c := Check{Limit: l, Root: root, Base: base.Name, Other: other.Name, Outcome: OutcomeUndecided}
	i := slices.IndexFunc(o.measures, func(m Measure) bool { return m.Name == l.Measure })
	if i < 0 {
		c.Reason = "no such measure was compared"
		return c
	}
	m := o.measures[i]
	if bases, others := base.runs(), other.runs(); bases >= minRuns && others >= minRuns {
		c.Runs = true
		c.take(l.Amount.difference(base.byRun(m, l.quantile()), other.byRun(m, l.quantile()), false, 0.5))
	} else {
		if bases > 1 || others > 1 {
			c.Reason = fmt.Sprintf("the interval is over journeys, as if they were of one run: %d and %d runs, and it takes %d a side for one over runs", bases, others, minRuns)
		}
		p := pairing{}
		if l.quantile() == 0.5 {
			p = pair(base, other, o.key)
		}
		b, v := p.values(m, base, other)
		c.take(l.Amount.difference(b, v, p.indexes != nil, l.quantile()))
	}
	switch {
	case c.Low != nil && *c.Low > l.Amount.Value:
		c.Outcome = OutcomeFail
	case c.High != nil && *c.High <= l.Amount.Value:
		c.Outcome = OutcomePass
	}
	return c
}

// take copies a difference into the check, and says why it has no interval.
func (c *Check) take(d Difference) {
	c.Paired, c.N, c.Delta, c.Low, c.High = d.Paired, d.N, d.Delta, d.Low, d.High
	least := minInterval
	if !c.Runs {
		least = leastFor(c.Limit.quantile())
	}
	switch {
	case c.Low != nil:
	case c.N == 0:
		c.Reason = "one side has no value of it"
	case d.Reason != "":
		c.Reason = "no interval: " + d.Reason
	case c.N < least:
		c.Reason = fmt.Sprintf("it takes at least %d %s for an interval", least, c.units(least))
	default:
		c.Reason = "a base of 0 or less has no percentage: use a duration"
	}
}

// runs counts the runs of a group.
func (g Group) runs() int {
	seen := make(map[int]bool)
	for i := range g.size() {
		seen[g.run(i)] = true
	}
	return len(seen)
}

// byRun returns a quantile of a measure for each run.
func (g Group) byRun(m Measure, quantile float64) Figures {
	byRun := make(map[int]*Figures)
	var order []int
	for i, v := range g.figures(m) {
		if math.IsNaN(v) {
			continue
		}
		run := g.run(i)
		if byRun[run] == nil {
			order = append(order, run)
			byRun[run] = new(Figures)
		}
		byRun[run].add(v, g.weights, int32(i))
	}
	list := Figures{NoInterval: g.noInterval}
	for _, run := range order {
		f := byRun[run]
		if f.Weights != nil {
			list.Values = append(list.Values, f.sorted().quantile(quantile))
		} else {
			list.Values = append(list.Values, quantileOf(f.Values, quantile).point)
		}
	}
	return list
}

// HalfWidth returns half of the interval's width, and false without an interval.
func (c Check) HalfWidth() (float64, bool) {
	if c.Low == nil || c.High == nil {
		return 0, false
	}
	return (*c.High - *c.Low) / 2, true
}

// Finds returns the smallest difference that fails a check of this precision in 95 of 100 comparisons, and false without an
// interval.
func (c Check) Finds() (float64, bool) {
	half, ok := c.HalfWidth()
	return c.Limit.Amount.Value + detection*half, ok
}

// Enough returns how many pairs, journeys of each side or runs would decide in 95 of 100 comparisons, if the difference is as
// great as it now looks. It returns false when the check is decided, or no number would do.
func (c Check) Enough() (n int, ok bool) {
	half, bounded := c.HalfWidth()
	if c.Outcome != OutcomeUndecided || !bounded {
		return 0, false
	}
	ratio := detection * half / math.Abs(*c.Delta-c.Limit.Amount.Value)
	enough := math.Ceil(float64(c.N) * ratio * ratio)
	if math.IsNaN(enough) || enough > math.MaxInt32 {
		return 0, false
	}
	return max(c.N+1, int(enough)), true
}

// units returns the word for what N counts.
func (c Check) units(n int) string {
	word := "journey"
	switch {
	case c.Runs:
		word = "run"
	case c.Paired:
		word = "pair"
	}
	if n != 1 {
		word += "s"
	}
	if !c.Paired {
		word += " a side"
	}
	return word
}

// Words says how the measure differs, how sure that is, and what would decide.
func (c Check) Words() string {
	var parts []string
	words := func(v float64) string { return c.Limit.Amount.words(c.Limit.Measure, v) }
	if c.Delta != nil {
		text := words(*c.Delta)
		if c.Low != nil && c.High != nil {
			text += fmt.Sprintf(" [%s, %s]", words(*c.Low), words(*c.High))
		}
		parts = append(parts, fmt.Sprintf("%s, %d %s", text, c.N, c.units(c.N)))
	}
	if half, ok := c.HalfWidth(); ok {
		finds, _ := c.Finds()
		parts = append(parts, fmt.Sprintf("half-width %s: %s fails in 95 of 100", strings.TrimPrefix(words(half), "+"), words(finds)))
	}
	if n, ok := c.Enough(); ok {
		if n > maxWorthwhile {
			parts = append(parts, "too close to the limit to be decided")
		} else {
			parts = append(parts, fmt.Sprintf("about %d %s would decide", n, c.units(n)))
		}
	}
	if c.Reason != "" {
		parts = append(parts, c.Reason)
	}
	return strings.Join(parts, "; ")
}
