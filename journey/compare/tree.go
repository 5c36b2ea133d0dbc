package compare

import "tracelab/journey"

// buildTrees lays out the journeys of all groups: O(n log n) for their spans.
func buildTrees(groups []Group) (*placeTable, []*groupTree) {
	t := newPlaceTable(groups)
	var trees []*groupTree
	for _, g := range groups {
		b := treeBuilder{table: t, tree: &groupTree{group: g, lossy: make([]bool, len(g.Journeys))}}
		for k, j := range g.Journeys {
			b.add(int32(k), j)
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

	*journey.Journey
	set    *journey.Set
	spans  []journey.Index
	root   journey.Index // or -1
	number int32
	up     []int32   // position of the span that it hangs below, or none
	via    []carrier // how that led to it
	server []int32   // of a client: the position of its server, or none
	half   []bool    // it is the server's half of the call above
	broken []bool    // the call, or the span of no call, has counted as failed
	place  []int32
	chain  []int32
}

const (
	unknownPlace  = -2 // not found yet
	visitingPlace = -3 // being sought
)

func (b *treeBuilder) add(number int32, j *journey.Journey) {
	b.Journey, b.set, b.spans, b.number = j, j.Set(), j.Spans(), number
	root, rooted := j.Root()
	b.root = root
	b.reset()
	for at := range b.spans {
		b.hang(int32(at))
	}
	for at := range b.spans {
		b.findPlace(int32(at))
	}
	b.count()
	b.timePaths()
	for _, m := range j.Messages() {
		at, _ := j.Position(m.Consumer)
		b.sample(b.place[at]).wait += int64(m.Wait)
	}
	if rooted {
		b.tree.rooted++
	}
	incomplete := !rooted
	if !b.tree.group.complete && rooted {
		_, incomplete = j.Incomplete()
	}
	if b.tree.lossy[number] = b.tree.lossy[number] || incomplete; !b.tree.lossy[number] {
		b.tree.whole++
	}
}

func (b *treeBuilder) reset() {
	n := len(b.spans)
	b.up, b.via, b.server = append(b.up[:0], make([]int32, n)...), append(b.via[:0], make([]carrier, n)...), append(b.server[:0], make([]int32, n)...)
	b.half, b.broken = append(b.half[:0], make([]bool, n)...), append(b.broken[:0], make([]bool, n)...)
	b.place = append(b.place[:0], make([]int32, n)...)
	for at := range n {
		b.up[at], b.server[at], b.place[at] = none32, none32, unknownPlace
	}
}

// hang finds the span that a span hangs below: its parent where that led to it, else of its causes in the journey the first
// by class, service and name, which timing does not change.
func (b *treeBuilder) hang(at int32) {
	s, i := b.set, b.spans[at]
	if i == b.root {
		return
	}
	parent, hasParent := s.Parent(i)
	var best journey.Edge
	found := false
	for e := range s.Causes(i) {
		if e.From == i || !b.Contains(e.From) {
			continue
		}
		if hasParent && e.From == parent {
			best, found = e, true
			break
		}
		if !found || b.before(e, best) {
			best, found = e, true
		}
	}
	if !found {
		return
	}
	up, _ := b.Position(best.From)
	b.up[at], b.via[at] = int32(up), carrierOf(best.Class)
	if s.Span(i).Kind == journey.KindServer && s.Span(best.From).Kind == journey.KindClient && !s.ConsumerSide(best.From) {
		b.half[at] = true
		if b.server[up] == none32 {
			b.server[up] = at
		}
	}
}

func (b *treeBuilder) before(e, than journey.Edge) bool {
	if e.Class != than.Class {
		return e.Class < than.Class
	}
	x, y := b.set.Span(e.From), b.set.Span(than.From)
	if x.Service != y.Service {
		return x.Service < y.Service
	}
	if x.Name != y.Name {
		return x.Name < y.Name
	}
	return e.From < than.From
}

// findPlace finds the place of a span and of all spans above it. It climbs to the first span whose place is known, or to the
// top, and numbers the places on its way down. Links may form circles, which are cut at their earliest span:
//
//	chain   c → b → a → top        climbs c, b, a; then places a, a > b, a > b > c
//	circle  d → c → b → d          climbs d, c, b and meets d again: cuts d, if it is the earliest,
//	                               from b, and starts over, so that the places are d, d > b, d > b > c
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
	key := placeKey{parent: none32, kind: kindOf(s, i)}
	if up != none32 {
		key.parent = b.place[up]
	}
	if i == b.root {
		key.kind = NodeEntry
	}
	id := b.table.identity(s, i)
	if b.server[at] != none32 {
		id = b.table.identity(s, b.spans[b.server[at]])
	} else if s.Span(i).Kind == journey.KindClient && (key.kind == NodeCall || key.kind == NodeEntry) {
		if server, ok := b.table.servers[id]; ok && server.service != none32 {
			id = server
			if !s.Failed(i) { // one that failed may never have reached its server
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

// count adds the spans to their places: a call counts and fails once, whichever of its spans did (a client that hides its
// retries has several servers).
func (b *treeBuilder) count() {
	for k, i := range b.spans {
		at := int32(k)
		x := b.sample(b.place[at])
		t := &b.tree.tallies[b.place[at]]
		x.self += int64(b.set.SelfTime(i))
		call := at
		if b.half[at] {
			call = b.up[at]
		}
		if b.failed(at) && !b.broken[call] {
			b.broken[call] = true
			x.errors++
			t.errors++
		}
		if b.half[at] {
			continue
		}
		if x.count++; x.count == 1 {
			start, _ := b.set.Times(i)
			t.start += float64(start - b.Start())
		}
		t.count++
		t.carriers[b.via[at]]++
	}
}

// failed goes by the status, as Journey.Errors does.
func (b *treeBuilder) failed(at int32) bool {
	return b.set.Span(b.spans[at]).Status == journey.StatusError
}

func (b *treeBuilder) timePaths() {
	for _, g := range b.ResponsePath() {
		at, _ := b.Position(g.Span)
		b.sample(b.place[at]).response += int64(g.Duration())
	}
	for _, g := range b.CompletionPath() {
		at, _ := b.Position(g.Span)
		b.sample(b.place[at]).completion += int64(g.Duration())
	}
}
