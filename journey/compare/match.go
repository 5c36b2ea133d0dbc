package compare

import (
	"cmp"
	"slices"
)

// row is one node of the comparison: for each group, the places that are this node.
type row struct {
	places [][]int32
}

func (r *row) has(group int) bool { return len(r.places[group]) > 0 }

// matcher pairs the places of several groups. It matches exact keys first. It pairs what is left, whatever the ancestors, by its
// label: an entry, call or consumer by its service and step, so that a call meets the message that took its place, and any
// other node by its service, name and kind.
type matcher struct {
	table *placeTable
	trees []*groupTree
	steps [][]int32 // by group and place: the number of the step's name, or none
	rows  []*row
}

// label is what a node is paired by when its ancestors differ. With a step the kind does not count.
type label struct {
	service, name int32
	kind          NodeKind
	step          bool
}

// labels are the keys of a pass: the node's own, and that of the nearest node above it that is not a producer.
type labels struct{ own, above label }

func matchPlaces(t *placeTable, trees []*groupTree) *matcher {
	m := &matcher{table: t, trees: trees}
	for _, g := range trees {
		m.steps = append(m.steps, m.findSteps(g))
	}
	m.matchExactly()
	for g := 1; g < len(trees); g++ {
		m.matchLabels(g, true)
		m.matchLabels(g, false)
	}
	for g := range trees {
		m.joinLeftovers(g)
	}
	m.rows = slices.DeleteFunc(m.rows, func(r *row) bool { return r == nil })
	return m
}

func (m *matcher) matchExactly() {
	for p := range int32(len(m.table.places)) {
		r := &row{places: make([][]int32, len(m.trees))}
		used := false
		for g, tree := range m.trees {
			if tree.tally(p) != nil {
				r.places[g] = []int32{p}
				used = true
			}
		}
		if used {
			m.rows = append(m.rows, r)
		}
	}
}

// findSteps returns the step of each place in a group: of the spans below it that at least half of its journeys have, the
// first one, or the first internal one if there is any.
func (m *matcher) findSteps(g *groupTree) []int32 {
	best := make([]int32, len(m.table.places)) // the child
	for p := range best {
		best[p] = none32
	}
	for c := range int32(len(m.table.places)) {
		p := m.table.places[c].parent
		if p == none32 || g.tally(c) == nil || g.tally(p) == nil || 2*len(g.tally(c).samples) < len(g.tally(p).samples) {
			continue
		}
		if best[p] == none32 || m.earlierStep(g, c, best[p]) {
			best[p] = c
		}
	}
	for p := range best {
		if c := best[p]; c != none32 {
			best[p] = m.table.places[c].name
		}
	}
	return best
}

func (m *matcher) earlierStep(g *groupTree, a, b int32) bool {
	x, y := &m.table.places[a], &m.table.places[b]
	if (x.kind == NodeInternal) != (y.kind == NodeInternal) {
		return x.kind == NodeInternal
	}
	t, u := g.tally(a), g.tally(b)
	if s, v := t.start/float64(len(t.samples)), u.start/float64(len(u.samples)); s != v {
		return s < v
	}
	return m.table.compare(a, b) < 0
}

func (m *matcher) label(g int, p int32) label {
	x := &m.table.places[p]
	if x.kind != NodeInternal && x.kind != NodeProduce {
		if step := m.steps[g][p]; step != none32 {
			return label{service: x.service, name: step, step: true}
		}
	}
	return label{service: x.service, name: x.name, kind: x.kind}
}

func (m *matcher) labels(g int, p int32, above bool) labels {
	l := labels{own: m.label(g, p)}
	if !above {
		return l
	}
	up := m.table.places[p].parent
	for up != none32 && m.table.places[up].kind == NodeProduce {
		up = m.table.places[up].parent
	}
	if up == none32 {
		l.above = label{service: none32, name: none32}
	} else {
		l.above = m.label(g, up)
	}
	return l
}

// first returns the first group that has the row, and its place there.
func (r *row) first() (group int, place int32) {
	for g := range r.places {
		if r.has(g) {
			return g, r.places[g][0]
		}
	}
	return 0, none32
}

// matchLabels pairs the rows that group g lacks with those that only group g has.
func (m *matcher) matchLabels(g int, above bool) {
	var order []labels
	earlier, own := make(map[labels][]int), make(map[labels][]int)
	for k, r := range m.rows {
		if r == nil {
			continue
		}
		in, p := r.first()
		if in > g || in < g && r.has(g) {
			continue
		}
		key := m.labels(in, p, above)
		side := earlier
		if in == g {
			side = own
		}
		if len(earlier[key])+len(own[key]) == 0 {
			order = append(order, key)
		}
		side[key] = append(side[key], k)
	}
	for _, key := range order {
		if len(earlier[key]) > 0 && len(own[key]) > 0 {
			m.pairRanks(g, earlier[key], own[key])
		}
	}
}

// pairRanks pairs rows with equal labels by rank: those that most journeys have come first.
func (m *matcher) pairRanks(g int, earlier, own []int) {
	slices.SortFunc(earlier, m.compareRows)
	slices.SortFunc(own, m.compareRows)
	for k := range min(len(earlier), len(own)) {
		m.rows[earlier[k]].places[g] = m.rows[own[k]].places[g]
		for later := g + 1; later < len(m.trees); later++ {
			m.rows[earlier[k]].places[later] = append(m.rows[earlier[k]].places[later], m.rows[own[k]].places[later]...)
		}
		m.rows[own[k]] = nil
	}
}

func (m *matcher) compareRows(a, b int) int {
	g, p := m.rows[a].first()
	h, q := m.rows[b].first()
	return m.comparePlaces(g, p, h, q)
}

// comparePlaces orders places by group, by how many journeys have them, the most first, and by text.
func (m *matcher) comparePlaces(g int, p int32, h int, q int32) int {
	t, u := m.trees[g].tally(p), m.trees[h].tally(q)
	return cmp.Or(cmp.Compare(g, h), cmp.Compare(len(u.samples), len(t.samples)), cmp.Compare(u.count, t.count), m.table.compare(p, q))
}

// maxAlternatives is how many rows with one label are tried: more of them are a recursion, not the branches before a join.
const maxAlternatives = 32

// joinLeftovers joins a row that only group g has to a row of the same label that others have too, when no journey has both:
// the node hangs elsewhere in some journeys. A join is done by whichever branch comes last:
//
//	most journeys          some journeys          rows of group g            after joining
//	in                     in                     in > a > Join   (common)   Join: both places
//	├ a                    ├ a                    in > b > Join   (single)
//	│ └ Join               └ b
//	└ b                      └ Join
func (m *matcher) joinLeftovers(g int) {
	single, common := make(map[label][]int), make(map[label][]int)
	var order []label
	for k, r := range m.rows {
		if r == nil || !r.has(g) {
			continue
		}
		l := m.label(g, r.places[g][0])
		if m.onlyIn(r, g) {
			if len(single[l]) == 0 {
				order = append(order, l)
			}
			single[l] = append(single[l], k)
		} else {
			common[l] = append(common[l], k)
		}
	}
	byWeight := func(a, b int) int { return m.comparePlaces(g, m.rows[a].places[g][0], g, m.rows[b].places[g][0]) }
	for _, l := range order {
		if len(single[l]) > maxAlternatives || len(common[l]) > maxAlternatives {
			continue
		}
		slices.SortFunc(single[l], byWeight)
		slices.SortFunc(common[l], byWeight)
		for _, k := range single[l] {
			for _, to := range common[l] {
				if m.exclusive(m.rows[to], m.rows[k]) {
					m.rows[to].places[g] = append(m.rows[to].places[g], m.rows[k].places[g]...)
					m.rows[k] = nil
					break
				}
			}
		}
	}
}

func (m *matcher) onlyIn(r *row, g int) bool {
	for h := range r.places {
		if h != g && r.has(h) {
			return false
		}
	}
	return true
}

// exclusive reports whether no journey of any group has both rows.
func (m *matcher) exclusive(a, b *row) bool {
	for g, tree := range m.trees {
		seen := make(map[int32]bool)
		for _, p := range a.places[g] {
			for _, x := range tree.tally(p).samples {
				seen[x.journey] = true
			}
		}
		for _, p := range b.places[g] {
			for _, x := range tree.tally(p).samples {
				if seen[x.journey] {
					return false
				}
			}
		}
	}
	return true
}
