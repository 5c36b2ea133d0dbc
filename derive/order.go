package derive

import (
	"cmp"
	"slices"
)

// clockStep is how much later than B's start A may seem to end and yet have ended before: the step of a clock of microseconds, twice.
const clockStep = 2_000

// order is what comes after what among all that the operations of a kind led to.
type order struct {
	needs map[*kind][]*kind // the kinds that a kind comes after, less those that are needed through others
	guess []guess
	// main is the lab's step that everything else comes after, and post the one that comes after everything else; nil when there is none.
	main, post *kind
	late       map[*kind]bool // called when the operation had ended
	seen       []occurrence   // of the kind
	kids       []*kind
}

// guess is an order that was seen, and that is not taken for given.
type guess struct {
	a, b       *kind
	kept, both int // how often b began after a's end, and how often there were both
}

// steps tells whether all work of the kind is steps of the lab.
func (k *kind) steps() bool {
	return slices.ContainsFunc(k.kids, func(kid *kind) bool { return kid.via == viaOwn })
}

// findOrder works out the order below a kind.
func (k *kind) findOrder(atLeast int) {
	k.order = order{needs: map[*kind][]*kind{}, late: map[*kind]bool{}, seen: k.seen, kids: k.kids}
	n := len(k.kids)
	at := make(map[*kind]int, n)
	for i, kid := range k.kids {
		at[kid] = i
	}
	both, kept := grid(n), grid(n)
	late, had := make([]int, n), make([]int, n)
	from, to := make([]int64, n), make([]int64, n)
	for _, o := range k.seen {
		var here []int
		for _, it := range o.items {
			i := at[it.kind]
			if !slices.Contains(here, i) {
				here = append(here, i)
				from[i], to[i] = it.from, it.to
			}
			from[i], to[i] = min(from[i], it.from), max(to[i], it.to)
		}
		for _, a := range here {
			had[a]++
			if from[a] > o.end {
				late[a]++
			}
			for _, b := range here {
				if a != b {
					both[a][b]++
					if from[a] < from[b] && to[a] <= from[b]+clockStep {
						kept[a][b]++
					}
				}
			}
		}
	}
	for i, kid := range k.kids {
		k.late[kid] = 2*late[i] > had[i] && kid.via != viaMessage
	}
	k.reduce(both, kept, atLeast, k.steps())
}

func grid(n int) [][]int {
	g := make([][]int, n)
	for i := range g {
		g[i] = make([]int, n)
	}
	return g
}

// reduce takes orders for given: those that were always kept, often enough, and those of the lab's first and last step. Who begins something
// that nobody waits for is not ahead of anything.
func (o *order) reduce(both, kept [][]int, atLeast int, steps bool) {
	n := len(o.kids)
	always := func(a, b int) bool { return both[a][b] > 0 && kept[a][b] == both[a][b] }
	if steps {
		o.findEnds(always)
	}
	before := func(a, b int) bool {
		A, B := o.kids[a], o.kids[b]
		switch {
		case !A.via.waits() || A == o.post || B == o.main:
			return false
		case A == o.main || B == o.post:
			return true
		}
		return always(a, b) && both[a][b] >= atLeast
	}
	for b := range n {
		var list []*kind
		for a := range n {
			if a == b {
				continue
			}
			if !before(a, b) {
				o.guessOf(a, b, both, kept)
				continue
			}
			through := false
			for c := range n {
				through = through || c != a && c != b && before(a, c) && before(c, b)
			}
			if !through {
				list = append(list, o.kids[a])
			}
		}
		o.needs[o.kids[b]] = list
	}
}

// guessOf notes an order that was kept always, but seldom seen, or almost always.
func (o *order) guessOf(a, b int, both, kept [][]int) {
	const almost = 0.9
	if o.kids[a].via.waits() && both[a][b] > 0 && float64(kept[a][b]) >= almost*float64(both[a][b]) && o.kids[b] != o.main && o.kids[a] != o.post {
		o.guess = append(o.guess, guess{o.kids[a], o.kids[b], kept[a][b], both[a][b]})
	}
}

// findEnds finds the step of the lab that ended before anything else began, and the one that began when all that is waited for had ended.
func (o *order) findEnds(always func(a, b int) bool) {
	for i, kid := range o.kids {
		if kid.via != viaOwn {
			continue
		}
		first, last := len(o.kids) > 1, len(o.kids) > 1
		for other := range o.kids {
			if other != i {
				first = first && always(i, other)
				last = last && (!o.kids[other].via.waits() || always(other, i))
			}
		}
		switch {
		case first || len(o.kids) == 1:
			o.main = kid
		case last:
			o.post = kid
		}
	}
}

// ends lists the kinds that nothing waited for comes after: those that were done when the operation had ended.
func (o *order) ends() []*kind {
	var list []*kind
	for _, kid := range o.kids {
		needed := slices.ContainsFunc(o.kids, func(other *kind) bool { return other.via.waits() && slices.Contains(o.needs[other], kid) })
		if kid.via.waits() && !o.late[kid] && !needed {
			list = append(list, kid)
		}
	}
	return list
}

// piece is a stretch of an occurrence's own work, ahead of something.
type piece struct {
	ahead  *kind // nil: the occurrence's end
	length int64
}

// work splits the time of an occurrence that nothing else covers by what began behind it.
func (o occurrence) work() []piece {
	type event struct {
		from, to int64
		kind     *kind
	}
	var events []event
	for _, it := range o.items {
		events = append(events, event{it.from, it.to, it.kind})
	}
	for _, a := range o.answers {
		events = append(events, event{a.from, a.to, nil})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.from, b.from) })
	var list []piece
	at := o.start
	for _, e := range events {
		if from := min(e.from, o.end); from > at {
			list = append(list, piece{e.kind, from - at})
			at = from
		}
		if e.kind == nil || e.kind.via != viaBehind {
			at = max(at, min(e.to, o.end))
		}
	}
	if o.end > at {
		list = append(list, piece{nil, o.end - at})
	}
	return list
}
