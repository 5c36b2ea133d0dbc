package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tracelab/journey"
)

// Group is a named list of journeys, of one set or several.
type Group struct {
	Name     string
	Journeys []*journey.Journey

	// Runs has for each journey the number of the run of the system that it comes from; nil: all come from one. Journeys of one
	// run are not independent of each other, so a Gate compares runs where each side has at least 6.
	Runs []int
	// Baseline replaces Journeys: see ReadBaseline.
	Baseline *Baseline
	// Doubt says why the group's times are not only the system's own, as that its machine had no CPU left; "" when nothing
	// is known. Whatever is said of the group's times is marked then.
	Doubt string

	// What options.take found out.
	complete   bool      // all journeys are known to be whole
	left       []leftOut // what is in no figure
	taken      int       // incomplete journeys that are in the figures
	sampling   journey.Sampling
	weights    []float64 // by journey, how many it stands for; nil: all for the same number
	each       float64   // that number
	noInterval string    // why there can be no intervals
}

// Keep returns the group with the journeys that all of the functions choose. It returns a group that is a Baseline as it is:
// that has no journeys to choose from.
func (g Group) Keep(choose ...func(*journey.Journey) bool) Group {
	kept := Group{Name: g.Name, Baseline: g.Baseline, Doubt: g.Doubt}
	for i, j := range g.Journeys {
		if slices.ContainsFunc(choose, func(is func(*journey.Journey) bool) bool { return !is(j) }) {
			continue
		}
		kept.Journeys = append(kept.Journeys, j)
		if g.Runs != nil {
			kept.Runs = append(kept.Runs, g.Runs[i])
		}
	}
	return kept
}

// size returns of how many journeys the group has figures.
func (g Group) size() int {
	if g.Baseline != nil {
		return g.Baseline.sampled()
	}
	return len(g.Journeys)
}

// figures returns a measure of each journey, NaN for one that has none.
func (g Group) figures(m Measure) []float64 {
	if g.Baseline != nil {
		return g.Baseline.figures(m.Name)
	}
	values := make([]float64, len(g.Journeys))
	for i, j := range g.Journeys {
		v, ok := m.figure(j)
		if !ok {
			v = math.NaN()
		}
		values[i] = v
	}
	return values
}

// run returns the number of the run that a journey comes from.
func (g Group) run(i int) int {
	if g.Baseline != nil {
		return g.Baseline.run(i)
	}
	if g.Runs == nil {
		return 0
	}
	return g.Runs[i]
}

// Option changes how groups are compared.
type Option func(*options)

type options struct {
	key        PairKey
	measures   []Measure
	tolerance  *Amount
	incomplete bool // take incomplete journeys, too
}

func newOptions(list []Option) options {
	o := options{measures: Measures()}
	for _, option := range list {
		if option != nil {
			option(&o)
		}
	}
	return o
}

// WithPairs compares journeys of equal keys pair by pair. Groups are compared as a whole where keys are missing, where a key
// occurs twice in a group, and without this option.
func WithPairs(key PairKey) Option { return func(o *options) { o.key = key } }

// WithMeasures compares by these measures, in their order, instead of Measures.
func WithMeasures(measures ...Measure) Option {
	return func(o *options) { o.measures = measures }
}

// WithSameWithin gives the verdict VerdictSame where the whole interval of a difference lies within ± the amount.
func WithSameWithin(a Amount) Option { return func(o *options) { o.tolerance = &a } }

// Comparison is a comparison of several groups. The first is the base of all differences.
type Comparison struct {
	Groups      []GroupSummary // of all their journeys
	Differences []Difference   // by root, then by group, then by measure; without those that only one side has
	Nodes       []Node         // by root, then in the order in which they begin; none of a Baseline
	Warnings    []string

	// Roots has a comparison for each root that the first group and another have, most journeys first, and OneSided the other
	// roots. Both are nil when no group has journeys of more than one root: then Groups, Differences and Nodes are all there is.
	Roots    []RootComparison
	OneSided []OneSidedRoot
}

// Groups summarizes groups, and compares each with the first one. Journeys are compared with those that have the same root:
// another mix of endpoints is not another speed.
func Groups(groups []Group, opts ...Option) Comparison {
	o := newOptions(opts)
	var c Comparison
	if len(groups) == 0 {
		return c
	}
	c.Warnings = Doubts(groups...)
	groups = o.take(groups)
	roots := splitRoots(groups)
	if one, warning := oneKind(groups, roots); one {
		if warning != "" {
			c.Warnings = append(c.Warnings, warning)
		}
		x, warnings := compareAlike(groups, o)
		c.Groups, c.Differences, c.Nodes = x.Groups, x.Differences, x.Nodes
		c.Warnings = append(c.caveats(), append(c.Warnings, warnings...)...)
		return c
	}
	for _, r := range roots {
		if !r.comparable() {
			c.OneSided = append(c.OneSided, r.oneSided())
			continue
		}
		x, warnings := compareAlike(r.present(), o)
		x.Root = r.root
		for i := range x.Differences {
			x.Differences[i].Root = r.root.String()
		}
		for i := range x.Nodes {
			x.Nodes[i].Root = r.root.String()
		}
		for _, w := range warnings {
			c.Warnings = append(c.Warnings, r.root.String()+": "+w)
		}
		c.Roots = append(c.Roots, x)
		c.Differences, c.Nodes = append(c.Differences, x.Differences...), append(c.Nodes, x.Nodes...)
	}
	if len(c.Roots) == 0 {
		c.Warnings = append(c.Warnings, "nothing is compared: the first group has no root in common with another")
	}
	for i, g := range groups {
		c.Groups = append(c.Groups, describe(g, o.measures, c.structuresOf(i, g, roots)))
	}
	c.Warnings = append(c.caveats(), c.Warnings...)
	return c
}

func (c *Comparison) caveats() []string {
	var list []string
	for _, g := range c.Groups {
		list = append(list, g.caveats()...)
	}
	return list
}

// Doubts are a warning for each reason why times of groups are not only the system's.
func Doubts(groups ...Group) []string {
	var order []string
	names := map[string][]string{}
	for _, g := range groups {
		if g.Doubt == "" {
			continue
		}
		if names[g.Doubt] == nil {
			order = append(order, g.Doubt)
		}
		if !slices.Contains(names[g.Doubt], g.Name) {
			names[g.Doubt] = append(names[g.Doubt], g.Name)
		}
	}
	for i, doubt := range order {
		order[i] = fmt.Sprintf("%s: %s: what is said of the times is marked %s", strings.Join(names[doubt], ", "), doubt, Doubtful)
	}
	return order
}

func (r *rootGroups) oneSided() OneSidedRoot {
	x := OneSidedRoot{Root: r.root}
	for _, g := range r.groups {
		x.Journeys, x.Incomplete = append(x.Journeys, g.size()), append(x.Incomplete, countLeftOut(g.leftOut()))
	}
	return x
}

// compareAlike compares groups whose journeys are of one kind.
func compareAlike(groups []Group, o options) (c RootComparison, warnings []string) {
	table, trees := buildTrees(groups)
	pairs := make([]pairing, len(groups))
	recorded := false
	for i, g := range groups {
		recorded = recorded || g.Baseline != nil
		c.Groups = append(c.Groups, describe(g, o.measures, trees[i].structures(table)))
		if i == 0 {
			continue
		}
		pairs[i] = pair(groups[0], g, o.key)
		c.Differences = append(c.Differences, differences(groups[0], g, pairs[i], o)...)
		if pairs[i].warning != "" {
			warnings = append(warnings, pairs[i].warning)
		}
		if twin := pairs[i].counterpart(groups[0], g, c.Groups[0].Example); twin != nil {
			c.Groups[i].Example = twin
		}
	}
	if !recorded {
		c.Nodes = nodesOf(table, trees, pairs)
	}
	return c, warnings
}

// Describe summarizes one group.
func Describe(g Group, opts ...Option) GroupSummary {
	o := newOptions(opts)
	groups := o.take([]Group{g})
	table, trees := buildTrees(groups)
	return describe(groups[0], o.measures, trees[0].structures(table))
}

// Differences compares a group with a base in all measures that both have, whatever the roots of their journeys. The warning
// says when pairing left out journeys, or was not possible.
func Differences(base, other Group, opts ...Option) (list []Difference, warning string) {
	o := newOptions(opts)
	groups := o.take([]Group{base, other})
	p := pair(groups[0], groups[1], o.key)
	return differences(groups[0], groups[1], p, o), p.warning
}

func differences(base, other Group, p pairing, o options) []Difference {
	var list []Difference
	for _, m := range o.measures {
		b, v := p.values(m, base, other)
		if len(b.Values) == 0 || len(v.Values) == 0 {
			continue
		}
		d := p.difference(b, v)
		d.Base, d.Other, d.Measure, d.Doubtful = base.Name, other.Name, m.Name, base.Doubt != "" || other.Doubt != ""
		if o.tolerance != nil {
			o.tolerance.judge(&d, b, v)
		}
		list = append(list, d)
	}
	return list
}
