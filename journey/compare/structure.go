package compare

import (
	"cmp"
	"fmt"
	"slices"

	"tracelab/journey"
)

// Structure is a tree of nodes that journeys of a group have: which nodes, below which, and how often.
type Structure struct {
	Signature string   `json:"signature"` // 16 hexadecimal digits: equal for equal trees, wherever they are from
	Journeys  int      `json:"journeys"`
	Share     float64  `json:"share"`   // of the group's journeys, from 0 to 1
	Nodes     int      `json:"nodes"`   // different ones in each journey
	Example   string   `json:"example"` // the first trace of one of them
	More      []string `json:"more"`    // what it has more of than the group's most frequent structure: service and name
	Less      []string `json:"less"`    // what it has less of
}

// structures returns the structures of a group, the most frequent first.
func (g *groupTree) structures(t *placeTable) []Structure {
	signatures := make([]uint64, 0, len(g.shapes))
	for s := range g.shapes {
		signatures = append(signatures, s)
	}
	slices.SortFunc(signatures, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(g.shapes[b].journeys, g.shapes[a].journeys), cmp.Compare(a, b))
	})
	list := make([]Structure, 0, len(signatures))
	for _, s := range signatures {
		x := g.shapes[s]
		more, less := t.unlike(g.shapes[signatures[0]].nodes, x.nodes)
		list = append(list, Structure{
			Signature: fmt.Sprintf("%016x", s), Journeys: x.journeys, Share: float64(x.journeys) / float64(len(g.group.Journeys)),
			Nodes: len(x.nodes), Example: exampleTrace(x.example), More: more, Less: less,
		})
	}
	return list
}

// unlike returns what the second list of nodes has more and less of than the first. Both are sorted by place. A node that
// hangs elsewhere is in both answers.
func (t *placeTable) unlike(base, other []shapeNode) (more, less []string) {
	more, less = []string{}, []string{}
	name := t.shown
	for len(base) > 0 || len(other) > 0 {
		switch {
		case len(other) == 0 || len(base) > 0 && base[0].place < other[0].place:
			less = append(less, name(base[0].place))
			base = base[1:]
		case len(base) == 0 || other[0].place < base[0].place:
			more = append(more, name(other[0].place))
			other = other[1:]
		default:
			if other[0].count > base[0].count {
				more = append(more, name(other[0].place))
			} else if other[0].count < base[0].count {
				less = append(less, name(other[0].place))
			}
			base, other = base[1:], other[1:]
		}
	}
	return more, less
}

// exampleTrace returns the first trace of a journey, "" for one without spans.
func exampleTrace(j *journey.Journey) string {
	if traces := j.Traces(); len(traces) > 0 {
		return traces[0].String()
	}
	return ""
}
