package journey_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

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
			if e.class == journey.ClassRetry {
				continue
			}
			if e.pred == from && (len(o.units[c]) == 0 || o.parent[c] != from) {
				o.reach(c, closure, backwards)
			}
			if c == from && backwards(e.pred) {
				o.reach(e.pred, closure, backwards)
			}
		}
		if slices.Contains(o.units[c], from) {
			o.reach(c, closure, backwards)
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
	loops := map[journey.TraceID]bool{}
	add := func(root, from int, backwards func(int) bool) {
		closure := map[int]bool{}
		o.reach(from, closure, backwards)
		if root >= 0 && o.isLoop(root, closure) {
			loops[o.spans[root].Trace] = true
			return
		}
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
		root := o.first(func(i int, s journey.Span) bool {
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
		first := o.first(func(i int, s journey.Span) bool { return s.Trace == trace && !o.shared[i] })
		solid := 0 <= o.first(func(i int, s journey.Span) bool {
			stands := o.op(i) == "receive" && !o.polls[i] && !o.shared[i] && slices.ContainsFunc(o.in[i], o.delivers)
			return s.Trace == trace && (o.op(i) != "receive" && o.op(i) != "settle" || stands)
		})
		if solid && !reached(trace) && !loops[trace] {
			add(-1, first, func(p int) bool { return !rooted[p] })
		}
	}
	return list
}

// first returns the first span that is such, or -1.
func (o *oracle) first(such func(i int, s journey.Span) bool) int {
	for i, s := range o.spans {
		if such(i, s) {
			return i
		}
	}
	return -1
}

// part is what takes a caller's time: a call, or a reply that it waits for.
type part struct {
	start, end int64
	call       int // the call, or the span that sent
	reply      *oracleReply
}

func (o *oracle) parts(s int) []part {
	var list []part
	for c, p := range o.caller {
		if p == s && (len(o.units[c]) == 0 || o.within[c]) {
			list = append(list, part{o.spans[c].Start, o.eff(c), c, nil})
		}
	}
	for k := range o.replies {
		if r := &o.replies[k]; r.waiter == s {
			list = append(list, part{o.spans[r.sent].Start, min(o.spans[r.back].End, o.eff(s)), r.sent, r})
		}
	}
	slices.SortFunc(list, func(a, b part) int {
		switch {
		case a.end != b.end:
			return int(b.end - a.end)
		case a.start != b.start:
			return int(b.start - a.start)
		case a.call != b.call:
			return a.call - b.call
		case a.reply != nil:
			return 1
		}
		return -1
	})
	return list
}

// explaining are the replies that are being explained: within one it is not chosen again.
type explaining map[*oracleReply]bool

func (o *oracle) scan(s int, lo, hi, base int64, busy explaining) []journey.Segment {
	var out []journey.Segment // from its end to its beginning
	t := hi
	for _, c := range o.parts(s) {
		last := c.call
		if c.reply != nil {
			last = c.reply.back
		}
		from, to := max(c.start, lo), min(c.end, t)
		if c.end > t+o.tol(s, last) || from >= to || busy[c.reply] {
			continue
		}
		out = append(out, work(s, to, t, base)...)
		if c.reply == nil {
			out = append(out, o.scan(c.call, from, to, base, busy)...)
		} else {
			busy[c.reply] = true
			closure := map[int]bool{}
			o.reach(c.reply.sent, closure, func(int) bool { return false })
			out = append(out, o.back(c.reply.back, c.reply.sent, closure, to, from, base, busy)...)
			delete(busy, c.reply)
		}
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
	return o.back(cur, j.root, j.closure, t, start, start, explaining{})
}

// back follows causes from a span at time t, back to root or to start.
func (o *oracle) back(cur, root int, closure map[int]bool, t, start, base int64, busy explaining) []journey.Segment {
	been := map[int]bool{}
	var out []journey.Segment
	for {
		been[cur] = true
		var e *oracleEdge
		others := int64(0)
		for _, x := range o.in[cur] {
			if !closure[x.pred] {
				if o.delivers(x) {
					others = max(others, x.ready)
				}
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
		if e != nil && e.class == journey.ClassMessage && o.op(cur) == "receive" && o.spans[cur].Start < o.spans[e.pred].Start {
			arrived := o.spans[cur].End
			for c, edges := range o.in {
				led := slices.ContainsFunc(edges, func(x oracleEdge) bool { return x.pred == cur && x.class != journey.ClassRetry })
				if led && o.spans[c].Start >= o.spans[e.pred].Start {
					arrived = min(arrived, o.spans[c].Start)
				}
			}
			lo = max(lo, min(max(arrived, e.ready), t))
		}
		lo = max(lo, start)
		out = append(out, o.scan(cur, lo, t, base, busy)...)
		t = lo
		if cur == root || t == start {
			return out
		}
		if e == nil {
			return append(out, wait(journey.ClassUnexplained, cur, -1, start, t, base)...)
		}
		h := max(min(e.ready, t), start)
		g := h
		if others > 0 {
			g = min(max(others, h), t)
		}
		out = append(out, wait(e.class, cur, e.pred, g, t, base)...)
		out = append(out, wait(journey.ClassBatch, cur, e.pred, h, g, base)...)
		t, cur = h, e.pred
		if t == start {
			return out
		}
	}
}

// isLoop reports an INTERNAL root below which, by calls, messages of others were received or handled.
func (o *oracle) isLoop(root int, closure map[int]bool) bool {
	if o.spans[root].Kind != journey.KindInternal {
		return false
	}
	for i := range o.spans {
		if i != root && slices.Contains(o.callers(i), root) && closure[i] &&
			slices.ContainsFunc(o.in[i], func(e oracleEdge) bool { return o.delivers(e) && !closure[e.pred] }) {
			return true
		}
		p, ok := o.parent[i]
		if o.op(i) != "receive" || !o.took[i] || !ok || o.classify(p, i).class != journey.ClassCall || p != root && !slices.Contains(o.callers(p), root) {
			continue
		}
		for _, l := range o.spans[i].Links {
			if t := o.resolve(l.Ref); t >= 0 && t != i && !closure[t] {
				return true
			}
		}
	}
	return false
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
			t.Fatalf("%d journeys, want %d:\n%s", len(got), len(want), describe(set))
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
				t.Fatalf("no journey from %d with spans %v:\n%s", j.root, slices.Sorted(maps.Keys(j.closure)), describe(set))
			}
			o.within = j.closure
			agree(t, set, "completion", got[k].CompletionPath(), o.completion(j))
			if j.root >= 0 {
				agree(t, set, "response", got[k].ResponsePath(), o.scan(j.root, o.start(j), o.spans[j.root].End, o.start(j), explaining{}))
			}
		}
	})
}

func agree(t *rapid.T, set *journey.Set, what string, got, backwards []journey.Segment) {
	slices.Reverse(backwards)
	if !slices.Equal(got, backwards) {
		t.Fatalf("%s path: %s, want %s:\n%s", what, draw.Path(set, got), draw.Path(set, backwards), describe(set))
	}
}

// short writes the end of an id, or that there is no such span.
func short(id journey.SpanID) string {
	if id[0] != 0 {
		return "missing"
	}
	return fmt.Sprintf("%x", id[6:])
}

// describe writes the spans of a set, a line each, to see what a generated case is about.
func describe(set *journey.Set) string {
	var b strings.Builder
	for i := range journey.Index(set.Len()) {
		s := set.Span(i)
		fmt.Fprintf(&b, "%d: %s trace %x id %x parent %s %s %q %.6f-%.6f %v", i, s.Name, s.Trace[15], s.ID[6:], short(s.Parent), s.Kind, s.Service,
			float64(s.Start-draw.Base)/1e6, float64(s.End-draw.Base)/1e6, s.Status)
		for _, a := range s.Attributes {
			fmt.Fprintf(&b, " %s=%s", a.Key, a.Value)
		}
		for _, l := range s.Links {
			fmt.Fprintf(&b, " link=%x/%s%v", l.Trace[15], short(l.Span), l.Attributes)
		}
		b.WriteString("\n")
	}
	return b.String()
}
