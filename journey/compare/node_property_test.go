package compare_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/internal/raced"
)

// someGroup generates a group of journeys whose spans share names, with every defect that data may have.
func someGroup(t *rapid.T, name string) compare.Group {
	g := compare.Group{Name: name}
	for range rapid.IntRange(1, 3).Draw(t, "sets") {
		spans := anySpans(t)
		for i := range spans {
			spans[i].Name = rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "name")
		}
		g.Journeys = append(g.Journeys, journey.NewSet(spans).Journeys()...)
	}
	return g
}

func TestASetAgainstItselfIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := someGroup(t, "g")
		for _, n := range compare.Nodes([]compare.Group{g, g}) {
			if n.Change != compare.ChangeSame || n.Groups[0].Count != n.Groups[1].Count || n.Groups[1].Self.Delta.Mean != 0 {
				t.Fatalf("%q is %s: %+v", n.Path, n.Change, n.Groups)
			}
		}
	})
}

// turned writes a node without what depends on which group came first: the path, and the sides' order.
func turned(n compare.Node) string {
	change, sign := n.Groups[1].Change, 1.0
	a, b := n.Groups[0], n.Groups[1]
	if a.Group == "b" {
		a, b, sign = b, a, -1
		if c, ok := map[compare.Change]compare.Change{
			compare.ChangeAdded: compare.ChangeRemoved, compare.ChangeRemoved: compare.ChangeAdded, compare.ChangeSlower: compare.ChangeFaster, compare.ChangeFaster: compare.ChangeSlower,
		}[change]; ok {
			change = c
		}
	}
	times := func(s compare.NodeIn) []compare.NodeTime {
		return []compare.NodeTime{s.Self, s.Path.Response, s.Path.Completion, s.Wait}
	}
	text := string(change)
	for _, s := range []compare.NodeIn{a, b} {
		text += fmt.Sprint(" ", s.Group, s.Name, s.Carrier, s.Journeys, s.Count, s.Errors)
		for _, x := range times(s) {
			text += fmt.Sprintf(" %.3f %.3f", x.Mean, x.Median)
		}
	}
	for _, x := range times(n.Groups[1]) {
		text += fmt.Sprintf(" Δ %.3f %v %d", sign*x.Delta.Mean+0, x.Delta.Paired, x.Delta.N)
		if low, high := x.Delta.Low, x.Delta.High; low != nil {
			text += fmt.Sprintf(" %.3f %.3f", min(sign**low, sign**high)+0, max(sign**low, sign**high)+0)
		}
	}
	return text
}

func TestDiffIsAntisymmetric(t *testing.T) {
	raced.OneGoroutine(t)
	byName := func(j *journey.Journey) (string, bool) {
		return fmt.Sprint(j.Set().Span(j.Spans()[0]).ID, len(j.Spans())), true
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := someGroup(t, "a"), someGroup(t, "b")
		key := rapid.SampledFrom([]compare.PairKey{nil, byName}).Draw(t, "key")
		var forwards, backwards []string
		for _, n := range compare.Nodes([]compare.Group{a, b}, compare.WithPairs(key)) {
			forwards = append(forwards, turned(n))
		}
		for _, n := range compare.Nodes([]compare.Group{b, a}, compare.WithPairs(key)) {
			backwards = append(backwards, turned(n))
		}
		slices.Sort(forwards)
		slices.Sort(backwards)
		if !slices.Equal(forwards, backwards) {
			t.Fatalf("a, b:\n%s\nb, a:\n%s", strings.Join(forwards, "\n"), strings.Join(backwards, "\n"))
		}
	})
}

// Nothing of a journey is lost in its nodes: spans, errors, waits of messages, and both paths to the nanosecond.
func TestNodesConserve(t *testing.T) {
	raced.OneGoroutine(t)
	rapid.Check(t, func(t *rapid.T) {
		groups := []compare.Group{someGroup(t, "a"), someGroup(t, "b"), someGroup(t, "c")}[:rapid.IntRange(1, 3).Draw(t, "groups")]
		nodes := compare.Nodes(groups, compare.WithIncomplete())
		for k, g := range groups {
			var got, want struct{ response, completion, wait float64 }
			count, halves, heads := 0, 0, 0
			for _, n := range nodes {
				s := n.Groups[k]
				got.response += s.Path.Response.Mean
				got.completion += s.Path.Completion.Mean
				got.wait += s.Wait.Mean
				count += s.Count
				if s.Errors > s.Count || s.Journeys > s.Count || s.Self.Mean < 0 {
					t.Fatalf("%q: %+v", n.Path, s)
				}
			}
			rooted := 0.0
			for _, j := range g.Journeys {
				if wait, ok := j.CallerWait(); ok {
					rooted++
					want.response += float64(wait)
				}
				want.completion += float64(j.Completion())
				for _, m := range j.Messages() {
					want.wait += float64(m.Wait)
				}
				heads += len(j.Spans())
				for _, i := range j.Spans() {
					if s := j.Set().Span(i); s.Kind == journey.KindServer && hangsBelowClient(j, i) {
						halves++
					}
				}
			}
			want.response /= max(1, rooted)
			want.completion /= float64(len(g.Journeys))
			want.wait /= float64(len(g.Journeys))
			if near := float64(len(nodes)); math.Abs(got.response-want.response) > near/1e3 || math.Abs(got.completion-want.completion) > near/1e3 || math.Abs(got.wait-want.wait) > near/1e3 {
				t.Fatalf("group %s: the nodes add up to %+v, the journeys to %+v", g.Name, got, want)
			}
			if count < heads-halves || count > heads {
				t.Fatalf("group %s: %d nodes of %d spans, %d of them servers of clients", g.Name, count, heads, halves)
			}
		}
	})
}

func hangsBelowClient(j *journey.Journey, i journey.Index) bool {
	for e := range j.Set().Causes(i) {
		if j.Contains(e.From) && j.Set().Span(e.From).Kind == journey.KindClient {
			return true
		}
	}
	return false
}

// The mean differences of the nodes add up to the mean difference of the journeys: pair by pair, and as a whole.
func TestMeanDeltasAddUp(t *testing.T) {
	byNumber := compare.ByAttribute("order.number")
	for _, key := range []compare.PairKey{nil, byNumber} {
		a := group(t, "a", 1, 50, 60, 71.3, 80, 90, 100, 110)
		b := group(t, "b", 3, 49, 58, 67.77, 76, 85)
		c := compare.Groups([]compare.Group{a, b}, compare.WithPairs(key))
		var response, completion float64
		for _, n := range c.Nodes {
			response += n.Groups[1].Path.Response.Delta.Mean
			completion += n.Groups[1].Path.Completion.Delta.Mean
		}
		// as a whole: the means of all; in pairs: orders 3 to 7
		want := (49+58+67.77+76+85)/5 - (50+60+71.3+80+90+100+110)/7
		if key != nil {
			want = (49 + 58 + 67.77 + 76 + 85 - 71.3 - 80 - 90 - 100 - 110) / 5
		}
		if math.Abs(response-want*1e6) > 0.01 || math.Abs(completion-want*1e6) > 0.01 {
			t.Errorf("paired %v: the nodes' deltas add up to %v on the response path and %v on the completion path, want %v", key != nil, response, completion, want*1e6)
		}
	}
}
