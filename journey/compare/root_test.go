package compare_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// mix makes a group of roots, each with journeys that take about as long as it says: 100 ms and a little more each.
func mix(t testing.TB, name string, roots ...string) compare.Group {
	t.Helper()
	g := compare.Group{Name: name}
	for _, r := range roots {
		var root string
		var n int
		var ms float64
		if _, err := fmt.Sscanf(r, "%s %d %g", &root, &n, &ms); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			g.Journeys = append(g.Journeys, newSet(t, fmt.Sprintf("%s SERVER 0-%g service=shop order.number=%d order.kind=%s", root, ms*(1+float64(i%10)/100), i, root)).Journeys()...)
		}
	}
	return g
}

// Two equal systems, of which one was asked more for the slow endpoint: no figure of the whole gets a verdict.
func TestAnotherMixIsNotAnotherSpeed(t *testing.T) {
	base := mix(t, "base", "GET/fast 80 10", "GET/slow 20 100")
	other := mix(t, "other", "GET/fast 20 10", "GET/slow 80 100")
	c := compare.Groups([]compare.Group{base, other})
	if len(c.Roots) != 2 || c.OneSided != nil {
		t.Fatalf("%d roots, one-sided %v", len(c.Roots), c.OneSided)
	}
	for _, d := range c.Differences {
		if d.Root == "" || d.Verdict != compare.VerdictNone {
			t.Errorf("%s of %q: %s %v", d.Measure, d.Root, d.Verdict, d)
		}
	}
	for _, n := range c.Nodes {
		if n.Root == "" || n.Change != compare.ChangeSame {
			t.Errorf("node %s of %q: %s", n.Name, n.Root, n.Change)
		}
	}
	if c.Groups[0].Journeys != 100 || c.Groups[0].Structures[0].Share != 0.8 {
		t.Errorf("the whole group: %+v", c.Groups[0])
	}
	gate := compare.Gate{Limits: []compare.Limit{{Measure: compare.Completion, Amount: compare.Amount{Share: true, Value: 0.05}}}}
	if j := gate.Judge([]compare.Group{base, other}); j.Outcome() == compare.OutcomeFail || len(j.Checks) != 2 {
		t.Errorf("a gate: %s %+v", j.Outcome(), j.Checks)
	}
}

func TestRootsAreToldApart(t *testing.T) {
	base := mix(t, "base", "GET/a 30 10", "GET/b 50 10", "GET/old 5 10")
	other := mix(t, "other", "GET/a 30 20", "GET/b 50 10", "GET/new 5 10")
	c := compare.Groups([]compare.Group{base, other}, compare.WithPairs(compare.ByAttribute("order.number")))
	var got []string
	for _, r := range c.Roots {
		got = append(got, fmt.Sprintf("%s: %d and %d", r.Root, r.Groups[0].Journeys, r.Groups[1].Journeys))
		for _, d := range r.Differences {
			if d.Measure == compare.Completion {
				got = append(got, fmt.Sprintf("%v %s", *d.Delta, d.Verdict))
			}
		}
	}
	for _, r := range c.OneSided {
		got = append(got, fmt.Sprintf("%s: %v", r.Root, r.Journeys))
	}
	equalLines(t, "roots", got, []string{"shop GET/b: 50 and 50", "0 ~", "shop GET/a: 30 and 30", "10.45 more", "shop GET/new: [0 5]", "shop GET/old: [5 0]"})

	chosen := compare.Groups([]compare.Group{base.Keep(compare.HasRoot("get/A")), other.Keep(compare.HasRoot("get/A"))})
	if chosen.Roots != nil || chosen.Groups[0].Journeys != 30 || chosen.Differences[0].Root != "" {
		t.Errorf("one root of several: %+v", chosen)
	}
	if n := len(base.Keep(compare.HasAttribute("order.kind", "GET/b"), compare.HasRoot("shop")).Journeys); n != 50 {
		t.Errorf("%d journeys with the attribute, want 50", n)
	}
}

// Roots that differ from the base's are compared where nothing else could be meant, and that is said.
func TestOneRootEachIsCompared(t *testing.T) {
	c := compare.Groups([]compare.Group{mix(t, "base", "GET/a 8 10"), mix(t, "other", "POST/a 8 10")})
	if len(c.Differences) == 0 || !strings.Contains(strings.Join(c.Warnings, " "), "those of base with shop GET/a, those of other with shop POST/a") {
		t.Errorf("%+v", c)
	}
	none := compare.Groups([]compare.Group{mix(t, "base", "GET/a 8 10"), mix(t, "other", "POST/a 8 10", "POST/b 8 10")})
	if len(none.Differences) != 0 || len(none.OneSided) != 3 || !slices.Contains(none.Warnings, "nothing is compared: the first group has no root in common with another") {
		t.Errorf("%+v", none)
	}
}

// A pair may be known by an attribute that another span than the root has.
func TestPairsByAnyAttribute(t *testing.T) {
	var groups []compare.Group
	for _, name := range []string{"a", "b"} {
		g := compare.Group{Name: name}
		for i := range 6 {
			g.Journeys = append(g.Journeys, newSet(t, fmt.Sprintf("s.in SERVER 0-%d\n  s.step 1-2 order.id=%d", 10+i, i)).Journeys()...)
		}
		groups = append(groups, g)
	}
	for _, d := range compare.Groups(groups, compare.WithPairs(compare.ByAttribute("order.id"))).Differences {
		if !d.Paired || d.N != 6 {
			t.Errorf("%+v", d)
		}
	}
}

func TestRootWords(t *testing.T) {
	for want, j := range map[string]*journey.Journey{
		"shop GET /orders/{id}": journey.NewSet([]journey.Span{{Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Service: "shop", Name: "GET /orders/17", End: 1}}).Journeys()[0],
		"no root":               newSet(t, "C CONSUMER 0-10 op=process").Journeys()[0],
	} {
		if got := compare.RootOf(j).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
