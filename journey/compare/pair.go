package compare

import (
	"cmp"
	"fmt"
	"slices"

	"tracelab/journey"
)

// PairKey tells which journeys of two groups belong together: those with equal keys.
type PairKey func(*journey.Journey) (key string, ok bool)

// ByAttribute pairs journeys whose roots have the same value of an attribute.
func ByAttribute(name string) PairKey {
	return func(j *journey.Journey) (string, bool) {
		root, ok := j.Root()
		if !ok {
			return "", false
		}
		v, ok := j.Set().Span(root).Attr(name)
		return v.String(), ok
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
	if out := len(base.Journeys) + len(other.Journeys) - 2*len(p.indexes); len(p.indexes) > 0 && out > 0 {
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
	positions = make(map[string]int32, len(g.Journeys))
	for i, j := range g.Journeys {
		k, ok := key(j)
		if !ok {
			continue
		}
		_, twice := positions[k]
		ambiguous = ambiguous || twice
		positions[k] = int32(i)
	}
	return positions, ambiguous
}

// counterpart returns the journey of the other group that is paired with a journey of the base, nil when there is none.
func (p pairing) counterpart(base, other Group, of *journey.Journey) *journey.Journey {
	for _, x := range p.indexes {
		if base.Journeys[x[0]] == of {
			return other.Journeys[x[1]]
		}
	}
	return nil
}
