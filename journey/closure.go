package journey

import (
	"cmp"
	"slices"

	"tracelab/journey/semconv"
)

// traceRoots is what journeyFinder knows about one trace.
type traceRoots struct {
	first  Index // earliest span that is not shared
	empty  Index // earliest with no parent id that is not consumer-side
	orphan Index // earliest whose parent is missing or ignored that is not consumer-side
	solid  bool  // has a span that is neither receive nor settle
}

// journeyFinder finds the journeys of a set.
type journeyFinder struct {
	set     *Set
	roots   []traceRoots
	reached []bool // by trace
	rooted  []bool // by span: a journey with a root has it
	in      []bool // by span: any journey has it
	mark    []int32
	walk    int32
	stack   []Index
	spans   []Index           // of the walk so far
	loops   []bool            // by trace: its root is that of a worker's loop
	below   map[Index][]Index // by root, the polls below it whose message edges do not count; made when it is needed
	tops    []Index           // by span, the topmost of its callers; made when it is needed
}

func (s *Set) findJourneys() {
	n := s.traces.Len()
	f := journeyFinder{
		set: s, roots: make([]traceRoots, n), reached: make([]bool, n),
		rooted: make([]bool, len(s.nodes)), in: make([]bool, len(s.nodes)), mark: make([]int32, len(s.nodes)),
	}
	f.loops = make([]bool, n)
	order := f.findRoots()
	if s.options.only != nil {
		f.only(*s.options.only)
		f.finish()
		return
	}
	for _, t := range order {
		if r := f.roots[t]; r.empty != none {
			f.journey(r.empty)
		}
	}
	for _, t := range order {
		if r := f.roots[t]; r.empty == none && r.orphan != none && !f.reached[t] {
			f.journey(r.orphan)
		}
	}
	copy(f.rooted, f.in)
	for _, t := range order {
		if r := f.roots[t]; r.solid && !f.reached[t] && !f.loops[t] {
			f.rootless(r.first)
		}
	}
	f.finish()
}

// findRoots fills in roots, and returns the numbers of the traces by their earliest span, without traces of shared spans.
func (f *journeyFinder) findRoots() []int32 {
	for t := range f.roots {
		f.roots[t] = traceRoots{none, none, none, false}
	}
	var order []int32
	for i := range f.set.nodes {
		n := &f.set.nodes[i]
		if n.is(isShared | isLeftOut) {
			continue
		}
		r := &f.roots[n.trace]
		if r.first == none {
			r.first = Index(i)
			order = append(order, n.trace)
		}
		r.solid = r.solid || n.op != semconv.OperationReceive || f.set.stands(Index(i))
		if n.is(isConsumer) || n.parent != none {
			continue
		}
		if n.is(isOrphan | isCut) {
			if r.orphan == none {
				r.orphan = Index(i)
			}
		} else if r.empty == none {
			r.empty = Index(i)
		}
	}
	return order
}

// journey adds the journey from a root: every span reached by following edges forwards.
func (f *journeyFinder) journey(root Index) {
	f.walk++
	f.visit(root)
	for len(f.stack) > 0 {
		i := f.pop()
		for _, effect := range f.set.effectsOf(i) {
			f.visit(effect)
		}
	}
	if f.isLoop(root) {
		f.addLoop(root)
		return
	}
	f.add(root)
}

// rootless adds the journey of a trace without a root: all spans connected with its first one, forwards and backwards,
// though never back into a journey that has a root.
func (f *journeyFinder) rootless(first Index) {
	f.walk++
	f.visit(first)
	for len(f.stack) > 0 {
		i := f.pop()
		for _, effect := range f.set.effectsOf(i) {
			f.visit(effect)
		}
		for _, e := range f.set.edgesTo(i) {
			if !f.rooted[e.pred] {
				f.visit(e.pred)
			}
		}
	}
	f.add(none)
}

func (f *journeyFinder) visit(i Index) {
	if f.mark[i] != f.walk {
		f.mark[i] = f.walk
		f.stack = append(f.stack, i)
	}
}

func (f *journeyFinder) pop() Index {
	i := f.stack[len(f.stack)-1]
	f.stack = f.stack[:len(f.stack)-1]
	f.spans = append(f.spans, i)
	return i
}

// add makes the journey of the spans of this walk.
func (f *journeyFinder) add(root Index) {
	s := f.set
	if len(f.spans) > len(s.nodes)/16 { // quicker than sorting
		f.spans = f.spans[:0]
		for i := range f.mark {
			if f.mark[i] == f.walk {
				f.spans = append(f.spans, Index(i))
			}
		}
	} else {
		slices.Sort(f.spans)
	}
	spans := slices.Clone(f.spans)
	f.spans = f.spans[:0]
	j := &Journey{set: s, root: root, spans: spans, start: s.nodes[spans[0]].start}
	if root != none {
		j.start = s.nodes[root].start
	}
	for _, i := range spans {
		f.in[i] = true
		t := s.nodes[i].trace
		f.reached[t] = true
		if n := len(j.traces); n == 0 || j.traces[n-1] != t {
			j.traces = append(j.traces, t)
		}
	}
	slices.Sort(j.traces)
	j.traces = slices.Clip(slices.Compact(j.traces))
	f.findEnd(j)
	s.journeys = append(s.journeys, j)
}

// findEnd finds the span with the latest effective end: of several, one whose caller is not among them, then the lower id.
func (f *journeyFinder) findEnd(j *Journey) {
	s := f.set
	j.last = none
	for _, i := range j.spans {
		n := &s.nodes[i]
		if j.last != none && n.eff < j.end {
			continue
		}
		if c := n.caller; c != none && s.nodes[c].eff == n.eff && f.mark[c] == f.walk {
			continue // its caller ends at the same time
		}
		if j.last == none || n.eff > j.end || s.lower(i, j.last) {
			j.last, j.end = i, n.eff
		}
	}
}

// finish orders the journeys, gives each trace its journeys, and each journey the spans of its traces that it did not reach.
func (f *journeyFinder) finish() {
	s := f.set
	slices.SortFunc(s.journeys, func(a, b *Journey) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.first(), b.first()))
	})
	f.shareLoops()
	s.traceJourneys = make([][]*Journey, len(f.roots))
	for _, j := range s.journeys {
		for _, t := range j.traces {
			s.traceJourneys[t] = append(s.traceJourneys[t], j)
			if list := s.traceJourneys[t]; j.root != none && s.nodes[j.root].trace == t {
				copy(list[1:], list)
				list[0] = j
			}
		}
	}
	for i := range s.nodes {
		n := &s.nodes[i]
		if f.in[i] || n.is(isShared) {
			continue
		}
		if n.is(isLeftOut) {
			n.flags |= isShared
			continue
		}
		if list := s.traceJourneys[n.trace]; len(list) > 0 {
			list[0].unreached = append(list[0].unreached, Index(i))
		} else {
			n.flags |= isShared // a trace of receive and settle spans only
		}
	}
}

// first returns the root, or without one the earliest span.
func (j *Journey) first() Index {
	if j.root != none {
		return j.root
	}
	return j.spans[0]
}
