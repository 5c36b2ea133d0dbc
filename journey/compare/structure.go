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
	Less      []string `json:"less"`    // what it has less of; a node that hangs elsewhere is in both

	// Joined and Moved name the nodes that are below another node than in the most frequent structure; of a subtree, its top.
	// Joined are those below several parallel branches of one kind: work that waits for all of them, and hangs below the one
	// that began last. Moved are all others.
	Joined []string `json:"joined,omitempty"`
	Moved  []string `json:"moved,omitempty"`
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
		u := t.unlike(g.shapes[signatures[0]], x)
		list = append(list, Structure{
			Signature: fmt.Sprintf("%016x", s), Journeys: x.journeys, Share: x.weight / g.weight,
			Nodes: len(x.nodes), Example: exampleTrace(x.example), More: t.shownAll(u.more), Less: t.shownAll(u.less), Joined: u.joined, Moved: u.moved,
		})
	}
	return list
}

// unlikeness is how a shape differs from another.
type unlikeness struct {
	more, less    []int32
	joined, moved []string
}

// unlike returns what the second shape has more and less of than the first. The nodes of both are sorted by place.
func (t *placeTable) unlike(first, second *shape) unlikeness {
	var u unlikeness
	base, other := first.nodes, second.nodes
	for len(base) > 0 || len(other) > 0 {
		switch {
		case len(other) == 0 || len(base) > 0 && base[0].place < other[0].place:
			u.less = append(u.less, base[0].place)
			base = base[1:]
		case len(base) == 0 || other[0].place < base[0].place:
			u.more = append(u.more, other[0].place)
			other = other[1:]
		default:
			if other[0].count > base[0].count {
				u.more = append(u.more, other[0].place)
			} else if other[0].count < base[0].count {
				u.less = append(u.less, other[0].place)
			}
			base, other = base[1:], other[1:]
		}
	}
	t.findMoves(&u, first.example, second.example)
	return u
}

// maxLooks bounds for how many nodes the example journeys are searched: a structure may have 100,000 that moved.
const maxLooks = 32

// findMoves finds the nodes of which there is one more in one place and one less in another.
func (t *placeTable) findMoves(u *unlikeness, first, second *journey.Journey) {
	less := make(map[placeKey]int32, len(u.less))
	for _, p := range u.less {
		less[t.own(p)] = p
	}
	moved := make(map[int32]bool)
	looks := maxLooks
	for _, p := range u.more { // a place comes after the one above it
		from, ok := less[t.own(p)]
		if !ok {
			continue
		}
		delete(less, t.own(p))
		moved[p] = true
		looks--
		above, aboveFrom := t.places[p].parent, t.places[from].parent
		switch {
		case moved[above]:
		case looks > 0 && above != none32 && aboveFrom != none32 && t.own(above) == t.own(aboveFrom) &&
			t.followsTheLast(first, p, above) && t.followsTheLast(second, p, above):
			u.joined = append(u.joined, t.shown(p))
		default:
			u.moved = append(u.moved, t.shown(p))
		}
	}
}

// own returns a place's key without the places above it.
func (t *placeTable) own(p int32) placeKey {
	key := t.places[p].placeKey
	key.parent = none32
	return key
}

// followsTheLast reports that, of at least two spans with the name of the node above, the one that began last caused the
// node's span in a journey.
func (t *placeTable) followsTheLast(j *journey.Journey, node, above int32) bool {
	set := j.Set()
	is := func(i journey.Index, p int32) bool {
		x := t.identity(set, i)
		return x.service == t.places[p].service && x.name == t.places[p].name
	}
	last, like := int64(0), 0
	for _, i := range j.Spans() {
		if is(i, above) {
			start, _ := set.Times(i)
			last = max(last, start)
			like++
		}
	}
	for _, i := range j.Spans() {
		if !is(i, node) {
			continue
		}
		for e := range set.Causes(i) {
			if start, _ := set.Times(e.From); is(e.From, above) && start == last {
				return like > 1
			}
		}
	}
	return false
}

// shownAll returns the services and names of places.
func (t *placeTable) shownAll(places []int32) []string {
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = t.shown(p)
	}
	return names
}

// exampleTrace returns the first trace of a journey, "" for one without spans.
func exampleTrace(j *journey.Journey) string {
	if traces := j.Traces(); len(traces) > 0 {
		return traces[0].String()
	}
	return ""
}
