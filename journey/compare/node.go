package compare

import (
	"cmp"
	"slices"

	"tracelab/journey"
)

// Change says what became of a node, from the first group to another.
type Change string

// The changes. Of several that apply to a node it has the first.
const (
	ChangeIncomplete Change = "incomplete" // it is missing, or rarer, where spans of the journeys are missing
	ChangeAdded      Change = "added"
	ChangeRemoved    Change = "removed"
	ChangeCarrier    Change = "carrier" // it is reached by a message instead of a call, or the other way round; or its caller no longer waits
	ChangeFanOut     Change = "fan-out" // it occurs more or less often in a journey, or in more or fewer journeys than chance explains
	ChangeError      Change = "error"   // it fails on one side only, or more often than chance explains
	ChangeSlower     Change = "slower"  // its own time, or else its wait, is more, by the 95 % interval of the median over the journeys that have it
	ChangeFaster     Change = "faster"
	ChangeSame       Change = "same"
)

// changeOrder lists the changes by precedence.
var changeOrder = [...]Change{ChangeIncomplete, ChangeAdded, ChangeRemoved, ChangeCarrier, ChangeFanOut, ChangeError, ChangeSlower, ChangeFaster, ChangeSame}

// Rank returns the precedence of a change, 0 for the first. A change that is not known comes last.
func (c Change) Rank() int {
	if i := slices.Index(changeOrder[:], c); i >= 0 {
		return i
	}
	return len(changeOrder)
}

// Node is one place in the trees of journeys, and what it is in each group.
type Node struct {
	Path    []string `json:"path"`           // service and name of the nodes from the root down to this one, where the first group that has it has it
	Root    string   `json:"root,omitempty"` // as Root.String; where journeys of several roots are told apart
	Service string   `json:"service"`
	Name    string   `json:"name"`
	Kind    NodeKind `json:"kind"`
	Change  Change   `json:"change"` // of the changes of its groups the first
	Groups  []NodeIn `json:"groups"` // as many as there are groups, in their order
}

// NodeIn is what a node is in one group. Times are of one journey, in nanoseconds; a journey without the node counts 0.
type NodeIn struct {
	Group    string   `json:"group"`
	Name     string   `json:"name,omitempty"`    // its name there
	Kind     NodeKind `json:"kind"`              // its kind there
	Carrier  string   `json:"carrier,omitempty"` // how most are reached: call, message or detached
	Change   Change   `json:"change"`            // from the first group
	Journeys int      `json:"journeys"`          // that have it
	Count    int      `json:"count"`             // in all journeys
	Errors   int      `json:"errors"`            // of the count, how many failed

	Self NodeTime `json:"self_ns"` // at work, less the calls below
	Path PathTime `json:"path_ns"`
	Wait NodeTime `json:"wait_ns"` // of messages, from the producer's end: as queue_wait_ms, negative where they overlap
}

// PathTime is a node's time on both paths, its waits included. The means of all nodes add up to the mean caller wait, and
// to the mean completion.
type PathTime struct {
	Response   NodeTime `json:"response"` // of journeys that have a root
	Completion NodeTime `json:"completion"`
}

// NodeTime describes one time of a node, over the journeys of a group.
type NodeTime struct {
	Mean   float64    `json:"mean"`
	Median float64    `json:"median"`
	P95    *float64   `json:"p95"`   // nil under 20 journeys
	Delta  *NodeDelta `json:"delta"` // from the first group; nil of that group itself

	// Typical and Shift are the median, and the difference from the first group, over the journeys that have the node: a node
	// that is rarer is not faster. Changes slower and faster go by Shift. They are there of own time and of waits, in groups that
	// have the node; Shift where the first group has it, too.
	Typical *float64   `json:"present_median,omitempty"`
	Shift   *NodeDelta `json:"present_delta,omitempty"`
}

// NodeDelta is how much a time of a node differs from that in the first group: over the pairs where journeys are paired,
// else over all of them.
type NodeDelta struct {
	Mean    float64  `json:"mean"`   // of the differences, or the difference of the means: those of all nodes add up
	Median  *float64 `json:"median"` // of the differences, or the difference of the medians
	Low     *float64 `json:"low"`    // Low and High bound the 95 % interval of Median
	High    *float64 `json:"high"`
	Paired  bool     `json:"paired"`
	N       int      `json:"n"`
	Verdict Verdict  `json:"verdict"`
}

// Nodes lays the journeys of all groups out as trees and pairs their nodes: see Node. They come in the order in which they
// begin in the first group that has them. O(n log n) for n spans.
func Nodes(groups []Group, opts ...Option) []Node {
	o := newOptions(opts)
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
			to.Typical = Summarize(c.present(k)).Median
			if g > 0 && d.columns[0].count > 0 {
				to.Shift = d.shift(g, k)
			}
		}
	}
	return n
}

// of returns the values of a time in group g; of the response path, those of journeys that have one.
func (d *differ) of(g int, k timeKind) []float64 {
	all := d.columns[g].times[k]
	if k != responseTime || d.trees[g].rooted == len(all) {
		return all
	}
	var values []float64
	for i, j := range d.trees[g].group.Journeys {
		if rooted(j) {
			values = append(values, all[i])
		}
	}
	return values
}

func describeTime(values []float64) NodeTime {
	if len(values) == 0 {
		return NodeTime{}
	}
	s := Summarize(values)
	return NodeTime{Mean: mean(values), Median: *s.Median, P95: s.P95}
}

// mean is exact up to its division, as long as the sum is under 2⁵³: 104 days of nanoseconds.
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
		difference := Paired(base, other)
		return nodeDelta(difference, mean(other)-mean(base))
	}
	return nodeDelta(Unpaired(base, other), mean(other)-mean(base))
}

func nodeDelta(x Difference, mean float64) *NodeDelta {
	return &NodeDelta{Mean: mean, Median: x.Delta, Low: x.Low, High: x.High, Paired: x.Paired, N: x.N, Verdict: x.Verdict}
}

// paired returns the values of the pairs; of the response path, those of pairs of which both have one.
func (d *differ) paired(g int, k timeKind) (base, other []float64) {
	b, o := d.columns[0].times[k], d.columns[g].times[k]
	for _, p := range d.pairs[g] {
		if k == responseTime && (!rooted(d.trees[0].group.Journeys[p[0]]) || !rooted(d.trees[g].group.Journeys[p[1]])) {
			continue
		}
		base, other = append(base, b[p[0]]), append(other, o[p[1]])
	}
	return base, other
}

func rooted(j *journey.Journey) bool {
	_, ok := j.Root()
	return ok
}
