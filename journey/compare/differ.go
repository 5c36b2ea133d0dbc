package compare

import (
	"cmp"
	"slices"

	"tracelab/journey"
)

// Nodes lays the journeys of all groups out as trees and pairs their nodes: see Node. They come in the order in which they
// begin in the first group that has them. O(n log n) for n spans.
func Nodes(groups []Group, opts ...Option) []Node {
	o := newOptions(opts)
	groups = o.take(groups)
	table, trees := buildTrees(groups)
	pairs := make([]pairing, len(groups))
	for g := 1; g < len(groups); g++ {
		pairs[g] = pair(groups[0], groups[g], o.key)
	}
	return nodesOf(table, trees, pairs)
}

func nodesOf(table *placeTable, trees []*groupTree, pairs []pairing) []Node {
	if len(trees) == 0 {
		return nil
	}
	m := matchPlaces(table, trees)
	slices.SortFunc(m.rows, m.compareStarts)
	d := differ{matcher: m, pairs: make([][][2]int32, len(trees))}
	for _, tree := range trees {
		d.buffers = append(d.buffers, make([]float64, (1+int(timeKinds))*len(tree.group.Journeys)))
	}
	for g := 1; g < len(trees); g++ {
		d.pairs[g] = pairs[g].indexes
	}
	nodes := make([]Node, 0, len(m.rows))
	for _, r := range m.rows {
		nodes = append(nodes, d.node(r))
	}
	return nodes
}

// compareStarts orders rows by group, mean start, and text.
func (m *matcher) compareStarts(a, b *row) int {
	g, p := a.first()
	h, q := b.first()
	x, y := m.trees[g].tally(p), m.trees[h].tally(q)
	return cmp.Or(
		cmp.Compare(x.start/float64(len(x.samples)), y.start/float64(len(y.samples))),
		cmp.Compare(g, h),
		cmp.Compare(p, q),
	)
}

// differ makes nodes of rows. Its columns describe the current row, one for each group.
type differ struct {
	*matcher
	pairs   [][][2]int32
	columns []column
	buffers [][]float64 // by group, for the values of a column
}

// timeKind is one of the times of a node.
type timeKind int

// The times, in the order in which NodeIn has them.
const (
	selfTime timeKind = iota
	responseTime
	completionTime
	waitTime
	timeKinds
)

// column is what a row is in one group.
type column struct {
	journeys, count, errors int
	whole                   int // count in journeys that miss no span
	carriers                [carriers]int
	counts                  []float64
	times                   [timeKinds][]float64 // by journey
}

func (c *column) carrier() carrier { return (&tally{carriers: c.carriers}).carrier() }

// column adds up the places of a row in group g.
func (d *differ) column(r *row, g int) column {
	tree := d.trees[g]
	n := len(tree.group.Journeys)
	flat := d.buffers[g]
	clear(flat)
	c := column{counts: flat[:n]}
	for k := range c.times {
		c.times[k] = flat[(k+1)*n : (k+2)*n]
	}
	for _, p := range r.places[g] {
		t := tree.tally(p)
		c.count += t.count
		c.errors += t.errors
		for k, v := range t.carriers {
			c.carriers[k] += v
		}
		for _, x := range t.samples {
			at := x.journey
			if c.counts[at] == 0 {
				c.journeys++
			}
			if !tree.lossy[at] {
				c.whole += int(x.count)
			}
			c.counts[at] += float64(x.count)
			for k, v := range [timeKinds]int64{selfTime: x.self, responseTime: x.response, completionTime: x.completion, waitTime: x.wait} {
				c.times[k][at] += float64(v)
			}
		}
	}
	return c
}

func (d *differ) node(r *row) Node {
	in, p := r.first()
	x := &d.table.places[p]
	n := Node{Path: d.table.path(p), Service: d.table.serviceName(p), Name: d.table.spanName(p), Kind: x.kind, Change: ChangeSame}
	d.columns = d.columns[:0]
	for g := range d.trees {
		d.columns = append(d.columns, d.column(r, g))
		side := d.side(r, g)
		if !r.has(g) {
			side.Kind = d.table.places[r.places[in][0]].kind
		}
		if g > 0 {
			side.Change = d.change(g, [timeKinds]*NodeDelta{selfTime: side.Self.Shift, waitTime: side.Wait.Shift})
		}
		if side.Change.Rank() < n.Change.Rank() {
			n.Change = side.Change
		}
		n.Groups = append(n.Groups, side)
	}
	return n
}

// side describes a row in group g.
func (d *differ) side(r *row, g int) NodeIn {
	c := &d.columns[g]
	n := NodeIn{
		Group: d.trees[g].group.Name, Carrier: c.carrier().String(), Change: ChangeSame,
		Journeys: c.journeys, Count: c.count, Errors: c.errors,
	}
	if r.has(g) {
		p := r.places[g][0]
		n.Name, n.Kind = d.table.spanName(p), d.table.places[p].kind
	}
	for i, to := range [timeKinds]*NodeTime{selfTime: &n.Self, responseTime: &n.Path.Response, completionTime: &n.Path.Completion, waitTime: &n.Wait} {
		k := timeKind(i)
		*to = describeTime(d.of(g, k))
		if g > 0 {
			to.Delta = d.delta(g, k)
		}
		if (k == selfTime || k == waitTime) && c.count > 0 {
			to.Typical = d.present(g, k).Summarize().Median
			if g > 0 && d.columns[0].count > 0 {
				to.Shift = d.shift(g, k)
			}
		}
	}
	return n
}

// of returns the values of a time in group g; for the response path, of the journeys that have one.
func (d *differ) of(g int, k timeKind) Figures {
	group, all := &d.trees[g].group, d.columns[g].times[k]
	f := Figures{NoInterval: group.noInterval}
	if k != responseTime || d.trees[g].rooted == len(all) {
		f.Values, f.Weights = all, group.weights
		return f
	}
	for i, j := range group.Journeys {
		if rooted(j) {
			f.add(all[i], group.weights, int32(i))
		}
	}
	return f
}

func describeTime(f Figures) NodeTime {
	if len(f.Values) == 0 {
		return NodeTime{}
	}
	s := f.Summarize()
	return NodeTime{Mean: f.mean(), Median: *s.Median, P95: s.P95}
}

// mean returns the mean. The sum is exact as long as it is under 2⁵³: 104 days of nanoseconds.
func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

// delta compares a time of group g with that of the first group.
func (d *differ) delta(g int, k timeKind) *NodeDelta {
	base, other := d.of(0, k), d.of(g, k)
	if d.pairs[g] != nil {
		base, other = d.paired(g, k)
		return nodeDelta(PairedFigures(base, other), other.mean()-base.mean())
	}
	return nodeDelta(UnpairedFigures(base, other), other.mean()-base.mean())
}

func nodeDelta(x Difference, mean float64) *NodeDelta {
	return &NodeDelta{Mean: mean, Median: x.Delta, Low: x.Low, High: x.High, Paired: x.Paired, N: x.N, Verdict: x.Verdict}
}

// paired returns the values of the pairs; for the response path, of the pairs that both have one.
func (d *differ) paired(g int, k timeKind) (base, other Figures) {
	b, o := d.columns[0].times[k], d.columns[g].times[k]
	x, y := &d.trees[0].group, &d.trees[g].group
	base.NoInterval, other.NoInterval = x.noInterval, y.noInterval
	for _, p := range d.pairs[g] {
		if k == responseTime && (!rooted(d.trees[0].group.Journeys[p[0]]) || !rooted(d.trees[g].group.Journeys[p[1]])) {
			continue
		}
		base.add(b[p[0]], x.weights, p[0])
		other.add(o[p[1]], y.weights, p[1])
	}
	return base, other
}

func rooted(j *journey.Journey) bool {
	_, ok := j.Root()
	return ok
}
