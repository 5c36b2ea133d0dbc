package journey_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

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
