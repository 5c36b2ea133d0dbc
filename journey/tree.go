package journey

// buildTrees lays out the journeys of all groups: O(n log n) for their spans.
func buildTrees(groups []Group) (*placeTable, []*groupTree) {
	t := newPlaceTable(groups)
	var trees []*groupTree
	for _, g := range groups {
		b := treeBuilder{table: t, tree: &groupTree{group: g, lossy: make([]bool, len(g.Journeys))}}
		for k, j := range g.Journeys {
			b.journey(int32(k), j)
		}
		trees = append(trees, b.tree)
	}
	t.seal()
	for _, g := range trees {
		g.findShapes(t)
	}
	return t, trees
}

// treeBuilder lays out one journey after the other. Its slices are by position in the journey's spans.
type treeBuilder struct {
	table *placeTable
	tree  *groupTree

	*Journey
	number int32
	up     []int32   // position of the span that it hangs below, or none
	via    []carrier // how that led to it
	server []int32   // of a client: the position of its server, or none
	half   []bool    // it is the server's half of the call above
	place  []int32
	chain  []int32
}

const (
	unknownPlace  = -2 // not found yet
	visitingPlace = -3 // being sought
)

func (b *treeBuilder) journey(number int32, j *Journey) {
	b.Journey, b.number = j, number
	b.reset()
	for at := range j.spans {
		b.hang(int32(at))
	}
	for at := range j.spans {
		b.findPlace(int32(at))
	}
	b.count()
	b.timePaths()
	for _, m := range j.Messages() {
		at, _ := j.position(m.Consumer)
		b.sample(b.place[at]).wait += m.Wait
	}
	if j.root != none {
		b.tree.rooted++
	}
	if b.tree.lossy[number] = b.tree.lossy[number] || j.lossy(); !b.tree.lossy[number] {
		b.tree.whole++
	}
}

func (b *treeBuilder) reset() {
	n := len(b.spans)
	b.up, b.via, b.server = append(b.up[:0], make([]int32, n)...), append(b.via[:0], make([]carrier, n)...), append(b.server[:0], make([]int32, n)...)
	b.half, b.place = append(b.half[:0], make([]bool, n)...), append(b.place[:0], make([]int32, n)...)
	for at := range n {
		b.up[at], b.server[at], b.place[at] = none32, none32, unknownPlace
	}
}

// lossy reports that spans of the journey are missing: what they would have been is not known. A parent that is missing
// above the root takes nothing away from the journey.
func (j *Journey) lossy() bool {
	if j.root == none || len(j.unreached) > 0 {
		return true
	}
	for _, i := range j.spans {
		if i == j.root {
			continue
		}
		for _, f := range j.set.lossesOf(i) {
			if f.rule == ruleOrphan || f.rule == ruleLinkTarget {
				return true
			}
		}
	}
	return false
}

// lossesOf returns the findings about a span, without looking for them where there are none at all.
func (s *Set) lossesOf(i Index) []finding {
	if len(s.findings) == 0 {
		return nil
	}
	return s.findingsOf(i)
}

// hang finds the span that a span hangs below: its parent where that led to it, else of its causes in the journey the first
// by class, service and name, which timing does not change.
func (b *treeBuilder) hang(at int32) {
	s, i := b.set, b.spans[at]
	if i == b.root {
		return
	}
	best := edge{pred: none}
	for _, e := range s.edgesTo(i) {
		if e.pred == i || !b.Contains(e.pred) {
			continue
		}
		if e.pred == s.nodes[i].parent {
			best = e
			break
		}
		if best.pred == none || b.before(e, best) {
			best = e
		}
	}
	if best.pred == none {
		return
	}
	up, _ := b.position(best.pred)
	b.up[at], b.via[at] = int32(up), carrierOf(best.class)
	if s.nodes[i].kind == KindServer && s.nodes[best.pred].kind == KindClient && !s.nodes[best.pred].is(isConsumer) {
		b.half[at] = true
		if b.server[up] == none32 {
			b.server[up] = at
		}
	}
}

func (b *treeBuilder) before(e, than edge) bool {
	if e.class != than.class {
		return e.class < than.class
	}
	x, y := b.set.Span(e.pred), b.set.Span(than.pred)
	if x.Service != y.Service {
		return x.Service < y.Service
	}
	if x.Name != y.Name {
		return x.Name < y.Name
	}
	return e.pred < than.pred
}

// findPlace finds the place of a span and of all above it. Links may form circles, which are cut at their earliest span.
func (b *treeBuilder) findPlace(at int32) {
	for b.place[at] == unknownPlace {
		b.chain = b.chain[:0]
		p := at
		for p != none32 && b.place[p] == unknownPlace {
			b.place[p] = visitingPlace
			b.chain = append(b.chain, p)
			p = b.up[p]
		}
		if p != none32 && b.place[p] == visitingPlace {
			b.cut(p)
			continue
		}
		for k := len(b.chain) - 1; k >= 0; k-- {
			b.place[b.chain[k]] = b.placeBelow(b.chain[k])
		}
	}
}

// cut frees the earliest span of the circle that p is on.
func (b *treeBuilder) cut(p int32) {
	earliest := p
	for q := b.up[p]; q != p; q = b.up[q] {
		earliest = min(earliest, q)
	}
	if b.half[earliest] {
		b.half[earliest] = false
		if up := b.up[earliest]; b.server[up] == earliest {
			b.server[up] = none32
		}
	}
	b.up[earliest], b.via[earliest] = none32, byNothing
	for _, q := range b.chain {
		b.place[q] = unknownPlace
	}
}

// placeBelow returns the place of a span whose span above has one.
func (b *treeBuilder) placeBelow(at int32) int32 {
	s, i, up := b.set, b.spans[at], b.up[at]
	if b.half[at] {
		return b.place[up]
	}
	key := placeKey{parent: none32, kind: kindOf(&s.nodes[i])}
	if up != none32 {
		key.parent = b.place[up]
	}
	if i == b.root {
		key.kind = NodeEntry
	}
	id := b.table.identity(s, i)
	if b.server[at] != none32 {
		id = b.table.identity(s, b.spans[b.server[at]])
	} else if s.nodes[i].kind == KindClient && (key.kind == NodeCall || key.kind == NodeEntry) {
		if server, ok := b.table.servers[id]; ok && server.service != none32 {
			id = server
			if !s.nodes[i].failed() { // one that failed may never have reached its server
				b.tree.lossy[b.number] = true
			}
		}
	}
	key.service, key.name = id.service, id.name
	return b.table.at(key)
}

func (b *treeBuilder) sample(place int32) *sample {
	g := b.tree
	if int(place) >= len(g.tallies) {
		g.tallies = append(g.tallies, make([]tally, len(b.table.places)-len(g.tallies))...)
	}
	t := &g.tallies[place]
	if n := len(t.samples); n == 0 || t.samples[n-1].journey != b.number {
		t.samples = append(t.samples, sample{journey: b.number})
	}
	return &t.samples[len(t.samples)-1]
}

// count adds the spans to their places: a call counts and fails once, whichever half did.
func (b *treeBuilder) count() {
	for at, i := range b.spans {
		n := &b.set.nodes[i]
		x := b.sample(b.place[at])
		t := &b.tree.tallies[b.place[at]]
		x.self += b.set.selfTime(i)
		if n.status == StatusError && (!b.half[at] || b.set.nodes[b.spans[b.up[at]]].status != StatusError) {
			x.errors++
			t.errors++
		}
		if b.half[at] {
			continue
		}
		if x.count++; x.count == 1 {
			t.start += float64(n.start - b.start)
		}
		t.count++
		t.carriers[b.via[at]]++
	}
}

// selfTime returns how long span i was at work itself: up to its effective end, less the union of its calls.
func (s *Set) selfTime(i Index) int64 {
	n := &s.nodes[i]
	var sum int64
	t := n.eff // calls come with the latest end first
	for _, c := range s.callsOf(i) {
		call := &s.nodes[c]
		if call.eff <= call.start {
			continue
		}
		sum += max(0, t-max(call.eff, n.start))
		t = min(t, call.start)
	}
	return sum + max(0, t-n.start)
}

func (b *treeBuilder) timePaths() {
	for _, g := range b.ResponsePath() {
		at, _ := b.position(g.Span)
		b.sample(b.place[at]).response += g.Duration()
	}
	for _, g := range b.CompletionPath() {
		at, _ := b.position(g.Span)
		b.sample(b.place[at]).completion += g.Duration()
	}
}
