package compare

import (
	"tracelab/journey"
)

// Group is a named list of journeys, of one set or several.
type Group struct {
	Name     string
	Journeys []*journey.Journey
}

// Option changes how groups are compared.
type Option func(*options)

type options struct {
	key      PairKey
	measures []Measure
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

// WithMeasures compares by these measures, in their order, in the place of Measures.
func WithMeasures(measures ...Measure) Option {
	return func(o *options) { o.measures = measures }
}

// Comparison is what is said of several groups. The first is the base of all differences.
type Comparison struct {
	Groups      []GroupSummary
	Differences []Difference // by group, then by measure; without those that only one side has
	Nodes       []Node       // in the order in which they begin
	Warnings    []string
}

// Groups summarizes groups, and compares each with the first one.
func Groups(groups []Group, opts ...Option) Comparison {
	o := newOptions(opts)
	var c Comparison
	table, trees := buildTrees(groups)
	pairs := make([]pairing, len(groups))
	for i, g := range groups {
		c.Groups = append(c.Groups, describe(g, o.measures, trees[i].structures(table)))
		if i == 0 {
			continue
		}
		pairs[i] = pair(groups[0], g, o.key)
		c.Differences = append(c.Differences, differences(groups[0], g, pairs[i], o.measures)...)
		if pairs[i].warning != "" {
			c.Warnings = append(c.Warnings, pairs[i].warning)
		}
		if twin := pairs[i].counterpart(groups[0], g, c.Groups[0].Example); twin != nil {
			c.Groups[i].Example = twin
		}
	}
	c.Nodes = nodesOf(table, trees, pairs)
	return c
}

// Describe summarizes one group.
func Describe(g Group, opts ...Option) GroupSummary {
	table, trees := buildTrees([]Group{g})
	return describe(g, newOptions(opts).measures, trees[0].structures(table))
}

// Differences compares a group with a base in all measures that both have. The warning tells when pairing left journeys
// out, or could not be done.
func Differences(base, other Group, opts ...Option) (list []Difference, warning string) {
	o := newOptions(opts)
	p := pair(base, other, o.key)
	return differences(base, other, p, o.measures), p.warning
}

func differences(base, other Group, p pairing, measures []Measure) []Difference {
	var list []Difference
	for _, m := range measures {
		var b, o []float64
		if p.indexes != nil {
			for _, x := range p.indexes {
				v, ok := m.figure(base.Journeys[x[0]])
				w, too := m.figure(other.Journeys[x[1]])
				if ok && too {
					b, o = append(b, v), append(o, w)
				}
			}
		} else {
			b, o = valuesOf(m, base), valuesOf(m, other)
		}
		if len(b) == 0 || len(o) == 0 {
			continue
		}
		d := Unpaired(b, o)
		if p.indexes != nil {
			d = Paired(b, o)
		}
		d.Base, d.Other, d.Measure = base.Name, other.Name, m.Name
		list = append(list, d)
	}
	return list
}
