package journey_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// oracle applies the rules once more, in the plainest way: recursion, maps, no thought of speed. It takes the spans in the
// set's order; everything else it finds out itself.
type oracle struct {
	spans  []journey.Span
	parent map[int]int
	cut    map[int]bool
	in     map[int][]oracleEdge
	shared map[int]bool
	caller map[int]int
}

type oracleEdge struct {
	pred  int
	class journey.Class
	ready int64
}

func newOracle(set *journey.Set) *oracle {
	o := &oracle{parent: map[int]int{}, cut: map[int]bool{}, in: map[int][]oracleEdge{}, shared: map[int]bool{}, caller: map[int]int{}}
	for i := range journey.Index(set.Len()) {
		s := *set.Span(i)
		s.End = max(s.Start, s.End)
		o.spans = append(o.spans, s)
	}
	for i, s := range o.spans {
		if p := o.resolve(journey.Ref{Trace: s.Trace, Span: s.Parent}); p >= 0 {
			o.parent[i] = p
		}
	}
	o.cutCircles(o.parent)
	for i := range o.spans {
		o.addEdges(i)
	}
	o.applyReceiveRule()
	for i := range o.spans {
		for _, e := range o.in[i] {
			if p, ok := o.parent[i]; e.class == journey.ClassCall && (ok && p == e.pred) {
				o.caller[i] = e.pred
			}
		}
		if _, ok := o.caller[i]; ok {
			continue
		}
		for _, e := range o.in[i] {
			if c, ok := o.caller[i]; e.class == journey.ClassCall && (!ok || e.pred < c) {
				o.caller[i] = e.pred
			}
		}
	}
	o.cutCircles(o.caller)
	return o
}

func (o *oracle) resolve(r journey.Ref) int {
	if r.Span.IsZero() {
		return -1
	}
	return slices.IndexFunc(o.spans, func(s journey.Span) bool { return s.Ref() == r })
}

// cutCircles cuts each circle at its first member.
func (o *oracle) cutCircles(up map[int]int) {
	for i := range o.spans {
		at, ok := i, true
		least := i
		for range len(o.spans) + 1 {
			if at, ok = up[at]; !ok || at == i {
				break
			}
			least = min(least, at)
		}
		if ok && at == i && least == i {
			delete(up, i)
			o.cut[i] = true
		}
	}
}

func (o *oracle) op(i int) string {
	v, _ := o.spans[i].Attr("messaging.operation.type")
	return v.String()
}

func (o *oracle) consumer(i int) bool {
	return o.spans[i].Kind == journey.KindConsumer || o.op(i) == "receive" || o.op(i) == "process"
}

func (o *oracle) tol(i int) int64 { return max(1e6, (o.spans[i].End-o.spans[i].Start)/100) }

func (o *oracle) classify(p, c int) oracleEdge {
	ps, cs := o.spans[p], o.spans[c]
	if ps.Kind == journey.KindProducer && o.consumer(c) {
		return oracleEdge{p, journey.ClassMessage, ps.End}
	}
	if o.consumer(p) && o.consumer(c) && ps.Service == cs.Service && cs.Start >= ps.End {
		return oracleEdge{p, journey.ClassContinuation, ps.End}
	}
	if cs.Start >= ps.End && cs.End > ps.End {
		return oracleEdge{p, journey.ClassDetachedAfter, ps.End}
	}
	if cs.End > ps.End+o.tol(p) {
		if ps.Kind == journey.KindClient && cs.Kind == journey.KindServer {
			if ps.Status == journey.StatusError {
				return oracleEdge{p, journey.ClassAbandoned, cs.Start}
			}
			return oracleEdge{p, journey.ClassCall, cs.Start}
		}
		return oracleEdge{p, journey.ClassDetachedOverlap, cs.Start}
	}
	return oracleEdge{p, journey.ClassCall, cs.Start}
}

// sender replaces a create span by the send span that links to it.
func (o *oracle) sender(create, consumer int) int {
	var before, after []int
	for i, s := range o.spans {
		if o.op(i) != "send" || !slices.ContainsFunc(s.Links, func(l journey.Link) bool { return o.resolve(l.Ref) == create && o.op(create) == "create" }) {
			continue
		}
		if s.End <= o.spans[consumer].Start {
			before = append(before, i)
		} else {
			after = append(after, i)
		}
	}
	by := func(a, b int) int { return int(o.spans[a].End - o.spans[b].End) }
	if len(before) > 0 {
		return slices.MaxFunc(before, by)
	}
	if len(after) > 0 {
		return slices.MinFunc(after, by)
	}
	return create
}

func (o *oracle) addEdges(c int) {
	if o.op(c) == "settle" {
		return
	}
	add := func(e oracleEdge) {
		if e.pred != c && !slices.ContainsFunc(o.in[c], func(x oracleEdge) bool { return x.pred == e.pred }) {
			o.in[c] = append(o.in[c], e)
		}
	}
	if p, ok := o.parent[c]; ok && o.op(p) != "settle" {
		if s := o.sender(p, c); o.consumer(c) && s != p {
			add(oracleEdge{s, journey.ClassMessage, o.spans[s].End})
		} else {
			add(o.classify(p, c))
		}
	}
	for _, l := range o.spans[c].Links {
		t := o.resolve(l.Ref)
		switch {
		case t < 0 || t == c || !o.consumer(c) || o.op(t) == "settle":
		case o.op(t) == "receive":
			add(o.classify(t, c))
		case o.spans[t].Kind == journey.KindProducer || o.op(t) != "":
			s := o.sender(t, c)
			add(oracleEdge{s, journey.ClassMessage, o.spans[s].End})
		}
	}
}

func (o *oracle) applyReceiveRule() {
	for c, edges := range o.in {
		own := slices.ContainsFunc(edges, func(e oracleEdge) bool { return e.class == journey.ClassMessage && !o.consumer(e.pred) })
		if own {
			o.in[c] = slices.DeleteFunc(slices.Clone(edges), func(e oracleEdge) bool { return o.op(e.pred) == "receive" })
		}
	}
	for again := true; again; {
		again = false
		for r := range o.spans {
			if o.op(r) == "settle" {
				o.shared[r] = true
			}
			if o.op(r) != "receive" || o.shared[r] {
				continue
			}
			counts := false
			for _, edges := range o.in {
				counts = counts || slices.ContainsFunc(edges, func(e oracleEdge) bool { return e.pred == r })
			}
			if !counts {
				o.shared[r], again = true, true
				delete(o.in, r)
			}
		}
	}
}

func (o *oracle) eff(i int) int64 {
	if c, ok := o.caller[i]; ok {
		return min(o.spans[i].End, o.eff(c))
	}
	return o.spans[i].End
}

func (o *oracle) lower(a, b int) bool {
	if c := o.spans[a].ID.Compare(o.spans[b].ID); c != 0 {
		return c < 0
	}
	if c := o.spans[a].Trace.Compare(o.spans[b].Trace); c != 0 {
		return c < 0
	}
	return a < b
}

// oracleJourney is a root (or -1) and its closure.
type oracleJourney struct {
	root    int
	closure map[int]bool
}

func (o *oracle) reach(from int, closure map[int]bool, backwards func(int) bool) {
	if closure[from] {
		return
	}
	closure[from] = true
	for c, edges := range o.in {
		for _, e := range edges {
			if e.pred == from {
				o.reach(c, closure, backwards)
			}
			if c == from && backwards(e.pred) {
				o.reach(e.pred, closure, backwards)
			}
		}
	}
}

func (o *oracle) journeys() []oracleJourney {
	var list []oracleJourney
	forwards := func(int) bool { return false }
	reached := func(trace journey.TraceID) bool {
		return slices.ContainsFunc(list, func(j oracleJourney) bool {
			for i := range j.closure {
				if o.spans[i].Trace == trace {
					return true
				}
			}
			return false
		})
	}
	firsts := map[journey.TraceID]int{} // by trace and what is asked: the first such span
	seen := func(i int) bool { _, ok := firsts[o.spans[i].Trace]; return ok }
	add := func(root, from int, backwards func(int) bool) {
		closure := map[int]bool{}
		o.reach(from, closure, backwards)
		list = append(list, oracleJourney{root, closure})
	}
	for i, s := range o.spans {
		if s.Parent.IsZero() && !o.consumer(i) && !o.shared[i] && !seen(i) {
			firsts[s.Trace] = i
			add(i, i, forwards)
		}
	}
	// The order in which traces without such a root are looked at is that of their first spans.
	var traces []journey.TraceID
	for i, s := range o.spans {
		if !o.shared[i] && !slices.Contains(traces, s.Trace) {
			traces = append(traces, s.Trace)
		}
	}
	for _, trace := range traces {
		root := slices.IndexFunc(o.spans, func(s journey.Span) bool {
			i := o.index(s)
			_, hasParent := o.parent[i]
			return s.Trace == trace && !hasParent && !s.Parent.IsZero() && !o.consumer(i) && !o.shared[i]
		})
		if _, ok := firsts[trace]; !ok && root >= 0 && !reached(trace) {
			add(root, root, forwards)
		}
	}
	rooted := map[int]bool{}
	for _, j := range list {
		maps.Copy(rooted, j.closure)
	}
	for _, trace := range traces {
		first := slices.IndexFunc(o.spans, func(s journey.Span) bool { return s.Trace == trace && !o.shared[o.index(s)] })
		solid := slices.ContainsFunc(o.spans, func(s journey.Span) bool {
			i := o.index(s)
			return s.Trace == trace && o.op(i) != "receive" && o.op(i) != "settle"
		})
		if solid && !reached(trace) {
			add(-1, first, func(p int) bool { return !rooted[p] })
		}
	}
	return list
}

// index finds a span by its name, which is different for each.
func (o *oracle) index(s journey.Span) int {
	return slices.IndexFunc(o.spans, func(x journey.Span) bool { return x.Name == s.Name })
}

func (o *oracle) scan(s int, lo, hi, base int64) []journey.Segment {
	var calls []int
	for c, p := range o.caller {
		if p == s {
			calls = append(calls, c)
		}
	}
	slices.SortFunc(calls, func(a, b int) int {
		switch {
		case o.eff(a) != o.eff(b):
			return int(o.eff(b) - o.eff(a))
		case o.spans[a].Start != o.spans[b].Start:
			return int(o.spans[b].Start - o.spans[a].Start)
		}
		return a - b
	})
	var out []journey.Segment // from its end to its beginning
	t := hi
	for _, c := range calls {
		from, to := max(o.spans[c].Start, lo), min(o.eff(c), t)
		if o.eff(c) > t+o.tol(s) || from >= to {
			continue
		}
		out = append(out, work(s, to, t, base)...)
		out = append(out, o.scan(c, from, to, base)...)
		t = from
	}
	return append(out, work(s, lo, t, base)...)
}

func work(s int, from, to, base int64) []journey.Segment {
	if from >= to {
		return nil
	}
	return []journey.Segment{{Start: time.Duration(from - base), End: time.Duration(to - base), Span: journey.Index(s), From: -1}}
}

func (o *oracle) start(j oracleJourney) int64 {
	if j.root >= 0 {
		return o.spans[j.root].Start
	}
	return o.spans[slices.Min(slices.Collect(maps.Keys(j.closure)))].Start
}

func (o *oracle) completion(j oracleJourney) []journey.Segment {
	start := o.start(j)
	t := int64(0)
	for i := range j.closure {
		t = max(t, o.eff(i))
	}
	cur := -1
	for i := range j.closure {
		c, called := o.caller[i]
		if o.eff(i) != t || called && j.closure[c] && o.eff(c) == t {
			continue
		}
		if cur < 0 || o.lower(i, cur) {
			cur = i
		}
	}
	been := map[int]bool{}
	var out []journey.Segment
	for {
		been[cur] = true
		var e *oracleEdge
		others := int64(0)
		for _, x := range o.in[cur] {
			if !j.closure[x.pred] {
				others = max(others, x.ready)
				continue
			}
			if been[x.pred] {
				continue
			}
			better := e == nil || x.ready > e.ready
			if e != nil && x.ready == e.ready {
				xm, em := x.class == journey.ClassMessage, e.class == journey.ClassMessage
				better = xm && !em || xm == em && o.lower(x.pred, e.pred)
			}
			if better {
				e = &x
			}
		}
		lo := min(o.spans[cur].Start, t)
		if e != nil && e.class == journey.ClassMessage && o.op(cur) == "receive" {
			lo = max(lo, min(e.ready, t))
		}
		lo = max(lo, start)
		out = append(out, o.scan(cur, lo, t, start)...)
		t = lo
		if cur == j.root {
			return out
		}
		if e == nil {
			return append(out, wait(journey.ClassUnexplained, cur, -1, start, t, start)...)
		}
		h := max(min(e.ready, t), start)
		g := h
		if others > 0 {
			g = min(max(others, h), t)
		}
		out = append(out, wait(e.class, cur, e.pred, g, t, start)...)
		out = append(out, wait(journey.ClassBatch, cur, e.pred, h, g, start)...)
		t, cur = h, e.pred
	}
}

func wait(class journey.Class, cur, from int, start, end, base int64) []journey.Segment {
	if start >= end {
		return nil
	}
	return []journey.Segment{{Start: time.Duration(start - base), End: time.Duration(end - base), Span: journey.Index(cur), From: journey.Index(from), Wait: true, Class: class}}
}

func TestAgainstTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := journey.NewSet(anySpans(t))
		o := newOracle(set)
		want := o.journeys()
		got := set.Journeys()
		if len(got) != len(want) {
			t.Fatalf("%d journeys, want %d", len(got), len(want))
		}
		for _, j := range want {
			same := func(x *journey.Journey) bool {
				root, ok := x.Root()
				if ok != (j.root >= 0) || ok && int(root) != j.root || len(x.Spans()) != len(j.closure) {
					return false
				}
				return !slices.ContainsFunc(x.Spans(), func(i journey.Index) bool { return !j.closure[int(i)] })
			}
			k := slices.IndexFunc(got, same)
			if k < 0 {
				t.Fatalf("no journey from %d with spans %v", j.root, slices.Sorted(maps.Keys(j.closure)))
			}
			agree(t, set, "completion", got[k].CompletionPath(), o.completion(j))
			if j.root >= 0 {
				agree(t, set, "response", got[k].ResponsePath(), o.scan(j.root, o.start(j), o.spans[j.root].End, o.start(j)))
			}
		}
	})
}

func agree(t *rapid.T, set *journey.Set, what string, got, backwards []journey.Segment) {
	slices.Reverse(backwards)
	if !slices.Equal(got, backwards) {
		t.Fatalf("%s path: %s, want %s", what, draw.Path(set, got), draw.Path(set, backwards))
	}
}
