package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tracelab/journey"
)

// PairKey tells which journeys of two groups belong together: those with equal keys.
type PairKey func(*journey.Journey) (key string, ok bool)

// ByAttribute pairs journeys by the value of an attribute: that of the root, else of the first of the journey's spans with it.
func ByAttribute(name string) PairKey {
	return func(j *journey.Journey) (string, bool) {
		if root, ok := j.Root(); ok {
			if v, ok := j.Set().Span(root).Attr(name); ok {
				return v.String(), true
			}
		}
		for _, i := range j.Spans() {
			if v, ok := j.Set().Span(i).Attr(name); ok {
				return v.String(), true
			}
		}
		return "", false
	}
}

// pairing is which journeys of two groups belong together.
type pairing struct {
	indexes [][2]int32 // into both groups, in the order of the base; nil when there are none or a key is ambiguous
	warning string
}

func pair(base, other Group, key PairKey) pairing {
	if key == nil {
		return pairing{}
	}
	bases, ambiguous := byKey(base, key)
	others, ambiguousToo := byKey(other, key)
	if ambiguous || ambiguousToo {
		return pairing{warning: fmt.Sprintf("%s and %s are not compared pair by pair: a key occurs twice in one of them", base.Name, other.Name)}
	}
	var p pairing
	for k, o := range others {
		if b, ok := bases[k]; ok {
			p.indexes = append(p.indexes, [2]int32{b, o})
		}
	}
	slices.SortFunc(p.indexes, func(x, y [2]int32) int { return cmp.Compare(x[0], y[0]) })
	if out := base.size() + other.size() - 2*len(p.indexes); len(p.indexes) > 0 && out > 0 {
		words := fmt.Sprintf("%d journeys have no counterpart, and are in no difference", out)
		if out == 1 {
			words = "1 journey has no counterpart, and is in no difference"
		}
		p.warning = fmt.Sprintf("%s and %s: %s", base.Name, other.Name, words)
	}
	return p
}

// byKey returns the positions of a group's journeys by their keys, and whether two of them share one.
func byKey(g Group, key PairKey) (positions map[string]int32, ambiguous bool) {
	positions = make(map[string]int32, g.size())
	add := func(k string, i int) {
		_, twice := positions[k]
		ambiguous = ambiguous || twice
		positions[k] = int32(i)
	}
	if g.Baseline != nil {
		for i, k := range g.Baseline.keys() {
			if k != nil {
				add(*k, i)
			}
		}
		return positions, ambiguous
	}
	for i, j := range g.Journeys {
		if k, ok := key(j); ok {
			add(k, i)
		}
	}
	return positions, ambiguous
}

// values returns a measure of both groups: of the pairs that have it in both, else of all journeys that have it.
func (p pairing) values(m Measure, base, other Group) (b, o Figures) {
	if p.indexes == nil {
		return valuesOf(m, base), valuesOf(m, other)
	}
	b.NoInterval, o.NoInterval = base.noInterval, other.noInterval
	all, others := base.figures(m), other.figures(m)
	for _, x := range p.indexes {
		if v, w := all[x[0]], others[x[1]]; !math.IsNaN(v) && !math.IsNaN(w) {
			b.add(v, base.weights, x[0])
			o.add(w, other.weights, x[1])
		}
	}
	return b, o
}

// difference compares figures that values returned.
func (p pairing) difference(b, o Figures) Difference {
	if p.indexes != nil {
		return PairedFigures(b, o)
	}
	return UnpairedFigures(b, o)
}

// counterpart returns the journey of the other group that is paired with a journey of the base, nil when there is none.
func (p pairing) counterpart(base, other Group, of *journey.Journey) *journey.Journey {
	if of == nil || other.Baseline != nil {
		return nil
	}
	for _, x := range p.indexes {
		if base.Journeys[x[0]] == of {
			return other.Journeys[x[1]]
		}
	}
	return nil
}
