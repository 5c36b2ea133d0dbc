package compare_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/internal/draw"
	"tracelab/journey/internal/raced"
)

var growing = regexp.MustCompile(`\+\d+`)

// drawn makes a group of n journeys, a set each, of one drawing. In it +5 is 5 ms in the first journey, 5.01 in the next.
func drawn(t testing.TB, name string, n int, drawing string) compare.Group {
	t.Helper()
	g := compare.Group{Name: name}
	for i := range n {
		text := growing.ReplaceAllStringFunc(drawing, func(s string) string {
			base, _ := strconv.Atoi(s[1:])
			return fmt.Sprint(float64(base) + float64(i)/100)
		})
		g.Journeys = append(g.Journeys, newSet(t, text).Journeys()...)
	}
	return g
}

// changes writes the change of each node that is not the same, with its names where they differ.
func changes(nodes []compare.Node) []string {
	var list []string
	for _, n := range nodes {
		if n.Change == compare.ChangeSame {
			continue
		}
		name := n.Name
		if other := n.Groups[len(n.Groups)-1].Name; other != "" && other != name {
			name += "→" + other
		}
		list = append(list, fmt.Sprintf("%s %s", n.Change, name))
	}
	slices.Sort(list)
	return list
}

func TestChanges(t *testing.T) {
	const call = "s.in SERVER 0-30\n  s.call CLIENT 2-20\n    w.serve SERVER 3-19\n      w.Step 4-18"
	tests := []struct {
		why         string
		n           int // journeys of each group
		base, other string
		want        []string
	}{
		{"nothing differs", 8, "s.in SERVER 0-10\n  s.work 1-9", "s.in SERVER 0-10\n  s.work 1-9", nil},
		{"a span is new", 1, "s.in SERVER 0-10", "s.in SERVER 0-10\n  s.cache 1-2", []string{"added s.cache"}},
		{"a span is gone", 8, "s.in SERVER 0-10\n  s.cache 1-2", "s.in SERVER 0-9", []string{"removed s.cache"}},
		{"a call became a message: names and ancestors differ, service and step do not", 1, call,
			"s.in SERVER 0-10\n  s.send PRODUCER 2-4 topic=t\n    w.process CONSUMER 5-25 op=process topic=t group=w\n      w.Step 6-20",
			[]string{"added s.send", "carrier w.serve→w.process"}},
		{"the same, and the consumer is linked from another trace", 1, call,
			"s.in SERVER 0-10\n  s.send PRODUCER 2-4 topic=t\nw.process CONSUMER 5-25 op=process topic=t group=w link=s.send trace=2\n  w.Step 6-20",
			[]string{"added s.send", "carrier w.serve→w.process"}},
		{"HTTP became gRPC: other names, but still a call", 1, call, "s.in SERVER 0-30\n  s.Do CLIENT 2-20\n    w.Do SERVER 3-19\n      w.Step 4-18", nil},
		{"the caller no longer waits", 1, "s.in SERVER 0-30\n  s.mail 2-20", "s.in SERVER 0-10\n  s.mail 2-20", []string{"carrier s.mail"}},
		{"without a step in common a call and a message are two nodes", 1, call,
			"s.in SERVER 0-10\n  s.send PRODUCER 2-4\n    w.process CONSUMER 5-25\n      w.Two 6-20",
			[]string{"added s.send", "added w.Two", "added w.process", "removed w.Step", "removed w.serve"}},
		{"one query became five", 1, "s.in SERVER 0-10\n  db.get CLIENT 1-2", "s.in SERVER 0-10" + strings.Repeat("\n  db.get CLIENT 1-2", 5), []string{"fan-out db.get"}},
		{"all journeys have it twice", 8, "s.in SERVER 0-10\n  db.get CLIENT 1-2", "s.in SERVER 0-10\n  db.get CLIENT 1-2\n  db.get CLIENT 1-2", []string{"fan-out db.get"}},
		{"it fails", 1, "s.in SERVER 0-10\n  w.do CLIENT 1-5", "s.in SERVER 0-10\n  w.do CLIENT 1-5 error", []string{"error w.do"}},
		{"a failing call fails once, whichever half says so", 1, "s.in SERVER 0-10\n  s.do CLIENT 1-5 error\n    w.do SERVER 2-4", "s.in SERVER 0-10\n  s.do CLIENT 1-5\n    w.do SERVER 2-4 error", nil},
		{"slower by 2 ms in every journey", 8, "s.in SERVER 0-+20\n  s.work 1-+5", "s.in SERVER 0-+22\n  s.work 1-+7", []string{"slower s.work"}},
		{"faster by 2 ms in every journey", 8, "s.in SERVER 0-+22\n  s.work 1-+7", "s.in SERVER 0-+20\n  s.work 1-+5", []string{"faster s.work"}},
		{"a step is slower; those that wait for it are not", 8, "s.in SERVER 0-+20\n  s.call CLIENT 1-+10\n    w.do SERVER 1-+10\n      w.Step 1-+10",
			"s.in SERVER 0-+30\n  s.call CLIENT 1-+20\n    w.do SERVER 1-+20\n      w.Step 1-+20", []string{"slower w.Step"}},
		{"under six journeys nobody can say slower", 5, "s.in SERVER 0-+20\n  s.work 1-+5", "s.in SERVER 0-+22\n  s.work 1-+7", nil},
		{"it waits longer in the queue", 8, "s.in SERVER 0-5\n  s.send PRODUCER 1-2\n    w.do CONSUMER +3-+6", "s.in SERVER 0-5\n  s.send PRODUCER 1-2\n    w.do CONSUMER +5-+8", []string{"slower w.do"}},
		{"its producer was lost: what is missing is not removed", 1, "s.in SERVER 0-10\n  s.send PRODUCER 1-2\n    w.do CONSUMER 3-20\n      w.Step 4-19",
			"s.in SERVER 0-10\nw.do CONSUMER 3-20 parent=?\n  w.Step 4-19", []string{"incomplete s.send", "incomplete w.Step", "incomplete w.do"}},
		{"what the base has lost is not added", 1, "s.in SERVER 0-10\nw.do CONSUMER 3-20 parent=?\n  w.Step 4-19",
			"s.in SERVER 0-10\n  s.send PRODUCER 1-2\n    w.do CONSUMER 3-20\n      w.Step 4-19", []string{"incomplete s.send", "incomplete w.Step", "incomplete w.do"}},
		{"the server's half of a call was lost", 1, call, "s.in SERVER 0-30\n  s.call CLIENT 2-20", []string{"incomplete w.Step"}},
		{"the server was never reached: the call failed, and its step is gone", 1, call, "s.in SERVER 0-30\n  s.call CLIENT 2-20 error", []string{"error w.serve", "removed w.Step"}},
		{"what is above an orphan that is the root is no loss", 1, "s.in SERVER 0-10 parent=?\n  s.cache 1-2", "s.in SERVER 0-10 parent=?", []string{"removed s.cache"}},
		{"of a client's name that leads to several servers nobody knows where it would have gone", 1, "s.in SERVER 0-30\n  s.POST/1 CLIENT 1-5\n    a.serve SERVER 2-4\n  s.POST/2 CLIENT 6-9\n    b.serve SERVER 7-8",
			"s.in SERVER 0-30\n  s.POST/1 CLIENT 1-5\n    a.serve SERVER 2-4\n  s.POST/2 CLIENT 6-9\n    b.serve SERVER 7-8\n  s.POST/3 CLIENT 10-12", []string{"added s.POST/{id}"}},
		{"likewise where only one side has them", 1, "s.in SERVER 0-30", "s.in SERVER 0-30\n  s.POST/1 CLIENT 1-5\n    a.serve SERVER 2-4\n  s.POST/2 CLIENT 6-9\n    b.serve SERVER 7-8\n  s.POST/3 CLIENT 10-12",
			[]string{"added a.serve", "added b.serve", "added s.POST/{id}"}},
		{"what a journey has in two places is two nodes", 1, "s.in SERVER 0-30\n  s.A 1-5\n    s.x 2-3", "s.in SERVER 0-30\n  s.A 1-5\n    s.x 2-3\n  s.B 6-9\n    s.x 7-8", []string{"added s.B", "added s.x"}},
		{"a journey that has lost its root is incomplete", 1, "s.in SERVER 0-10\n  s.send PRODUCER 1-2\n    w.do CONSUMER 3-20\n      w.Step 4-19", "w.do CONSUMER 3-20\n  w.Step 4-19", []string{"incomplete s.in", "incomplete s.send"}},
		{"internal spans go by their own name, not by what is below", 1, "s.in SERVER 0-10\n  s.One 1-5\n    s.X 2-4", "s.in SERVER 0-10\n  s.Two 1-5\n    s.X 2-4", []string{"added s.Two", "removed s.One"}},
		{"an entry has no carrier to change: somebody calls it now", 1, "g.POST SERVER 1-11\n  g.work 2-10", "lb.in SERVER 0-13\n  lb.call CLIENT 1-12\n    g.POST SERVER 1-11\n      g.work 2-10", []string{"added lb.in"}},
		{"ids in names do not make nodes", 1, "s.in SERVER 0-10\n  s.get/17 CLIENT 1-2", "s.in SERVER 0-10\n  s.get/18 CLIENT 1-2", nil},
		{"the client is traced on one side only: one entry", 1, "c.POST CLIENT 0-12\n  g.POST SERVER 1-11\n    g.work 2-10", "g.POST SERVER 1-11\n  g.work 2-10", nil},
		{"a run in a topic of its own: the template is its name", 1, "s.in SERVER 0-10\n  s.send PRODUCER 2-4\n    process-r1.t CONSUMER 5-6 service=w topic=r1.t messaging.destination.template=t",
			"s.in SERVER 0-10\n  s.send PRODUCER 2-4\n    process-r2.t CONSUMER 5-6 service=w topic=r2.t messaging.destination.template=t", nil},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			nodes := compare.Nodes([]compare.Group{drawn(t, "a", c.n, c.base), drawn(t, "b", c.n, c.other)}, compare.WithIncomplete())
			equalLines(t, "changes", changes(nodes), c.want)
		})
	}
}

// One journey of eight lost a span: that the node is rarer is loss; where whole journeys lack it, it is not.
func TestLossIsNotRemoval(t *testing.T) {
	const whole, lost, without = "s.in SERVER 0-10\n  s.send PRODUCER 1-2\n    w.do CONSUMER 3-20", "s.in SERVER 0-9\nw.do CONSUMER 3-20 parent=?", "s.in SERVER 0-9"
	base := drawn(t, "a", 8, whole)
	join := func(groups ...compare.Group) compare.Group {
		g := compare.Group{Name: "b"}
		for _, x := range groups {
			g.Journeys = append(g.Journeys, x.Journeys...)
		}
		return g
	}
	equalLines(t, "one of eight is lossy", changes(compare.Nodes([]compare.Group{base, join(drawn(t, "", 7, whole), drawn(t, "", 1, lost))}, compare.WithIncomplete())),
		[]string{"incomplete s.send", "incomplete w.do"})
	equalLines(t, "seven whole ones do without", changes(compare.Nodes([]compare.Group{base, join(drawn(t, "", 7, without), drawn(t, "", 1, lost))}, compare.WithIncomplete())),
		[]string{"removed s.send", "removed w.do"})
	equalLines(t, "incomplete ones are left out", changes(compare.Nodes([]compare.Group{base, join(drawn(t, "", 7, whole), drawn(t, "", 1, lost))})), nil)
	equalLines(t, "all are incomplete, and left out", changes(compare.Nodes([]compare.Group{base, drawn(t, "b", 8, lost)})),
		[]string{"incomplete s.in", "incomplete s.send", "incomplete w.do"})
}

// That fewer journeys have a node is said as such: neither is what is missing faster, nor is chance a change.
func TestRarerNodes(t *testing.T) {
	group := func(has, of int) compare.Group {
		g := drawn(t, "g", has, "s.in SERVER 0-10\n  w.do CLIENT 1-+5")
		g.Journeys = append(g.Journeys, drawn(t, "", of-has, "s.in SERVER 0-6").Journeys...)
		return g
	}
	for _, c := range []struct {
		a, b int
		want []string
	}{
		{25, 18, []string{"fan-out w.do"}}, {18, 25, []string{"fan-out w.do"}}, {25, 24, nil}, {13, 11, nil},
	} {
		equalLines(t, fmt.Sprintf("%d against %d of 25", c.a, c.b), changes(compare.Nodes([]compare.Group{group(c.a, 25), group(c.b, 25)})), c.want)
	}
}

// Slower goes by the journeys that have the node: three of twelve do without, in the rest it is slower.
func TestSlowerWhereItIs(t *testing.T) {
	base := drawn(t, "a", 12, "s.in SERVER 0-+20\n  w.do CLIENT 1-+5")
	other := drawn(t, "b", 12, "s.in SERVER 0-+21\n  w.do CLIENT 1-+6")
	without := drawn(t, "", 3, "s.in SERVER 0-16")
	other.Journeys = append(other.Journeys[3:], without.Journeys...)
	number := make(map[*journey.Journey]string)
	for _, g := range []compare.Group{base, other} {
		for i, j := range g.Journeys {
			number[j] = fmt.Sprint(i)
		}
	}
	for _, key := range []compare.PairKey{nil, func(j *journey.Journey) (string, bool) { return number[j], true }} {
		equalLines(t, "changes", changes(compare.Nodes([]compare.Group{base, other}, compare.WithPairs(key))), []string{"slower w.do"})
	}
}

// A step is what most journeys begin with; a first call now and then, such as a warm-up, does not hide it.
func TestStepsOfMost(t *testing.T) {
	base := drawn(t, "a", 8, "s.in SERVER 0-30\n  s.call CLIENT 2-20\n    w.serve SERVER 3-19\n      w.Step 6-18")
	other := drawn(t, "b", 7, "s.in SERVER 0-10\n  s.send PRODUCER 2-4\n    w.process CONSUMER 5-25\n      w.Step 7-20")
	other.Journeys = append(other.Journeys, drawn(t, "", 1, "s.in SERVER 0-10\n  s.send PRODUCER 2-4\n    w.process CONSUMER 5-25\n      w.WarmUp 5-6\n      w.Step 7-20").Journeys...)
	equalLines(t, "changes", changes(compare.Nodes([]compare.Group{base, other})), []string{"added s.send", "added w.WarmUp", "carrier w.serve→w.process", "faster s.in", "slower w.Step"})
	equalLines(t, "a query before the step", changes(compare.Nodes([]compare.Group{
		drawn(t, "a", 1, "s.in SERVER 0-30\n  s.call CLIENT 2-20\n    w.serve SERVER 3-19\n      w.sql CLIENT 4-5\n      w.Step 6-18"),
		drawn(t, "b", 1, "s.in SERVER 0-10\n  s.send PRODUCER 2-4\n    w.process CONSUMER 5-25\n      w.Step 7-20")})), []string{"added s.send", "carrier w.serve→w.process", "removed w.sql"})
}

// Of equals the one is paired that hangs below the same node.
func TestEqualsBelowTheSame(t *testing.T) {
	nodes := compare.Nodes([]compare.Group{
		drawn(t, "a", 1, "s.in SERVER 0-30\n  s.A 1-5\n    s.x 2-3\n  s.B 6-9\n    s.x 7-8 parent=s.B"),
		drawn(t, "b", 1, "t.in SERVER 0-30\n  s.B 6-9\n    s.x 7-8"),
	})
	for _, n := range nodes {
		if n.Name == "s.x" && n.Change == compare.ChangeRemoved && n.Path[len(n.Path)-2] != "s s.A" {
			t.Errorf("%q is removed, want the one below s.A", n.Path)
		}
	}
}

// A span hangs below its parent, whatever its links.
func TestNodesHangBelowParents(t *testing.T) {
	nodes := compare.Nodes([]compare.Group{drawn(t, "a", 1, "s.in SERVER 0-30\n  a.send PRODUCER 1-5\n  b.send PRODUCER 1-5\n    w.do CONSUMER 7-8 link=a.send")})
	if last := nodes[len(nodes)-1]; last.Name != "w.do" || last.Path[1] != "b b.send" {
		t.Errorf("%q", last.Path)
	}
}

// A client that hides its retries has a server for each attempt.
func TestACallFailsOnce(t *testing.T) {
	for _, drawing := range []string{
		"s.in SERVER 0-10\n  s.do CLIENT 1-5 error\n    w.do SERVER 2-4 error",
		"s.in SERVER 0-10\n  s.do CLIENT 1-9\n    w.do SERVER 2-3 error\n    w.do SERVER 4-5 error\n    w.do SERVER 6-7 error",
		"s.in SERVER 0-10\n  s.do CLIENT 1-9 error\n    w.do SERVER 2-3 error\n    w.do SERVER 4-5",
	} {
		calls := 0
		for _, n := range compare.Nodes([]compare.Group{drawn(t, "a", 1, drawing)}) {
			if n.Kind != compare.NodeCall {
				continue
			}
			calls++
			if n.Groups[0].Errors != 1 || n.Groups[0].Count != 1 {
				t.Errorf("%s\n%d of %d failed, want 1 of 1", drawing, n.Groups[0].Errors, n.Groups[0].Count)
			}
		}
		if calls != 1 {
			t.Errorf("%s\n%d calls, want 1", drawing, calls)
		}
	}
}

// Shares of errors differ when chance does not explain it; errors on one side only are always said.
func TestErrorShares(t *testing.T) {
	group := func(fail, of int) compare.Group {
		g := drawn(t, "g", fail, "s.in SERVER 0-10\n  w.do CLIENT 1-5 error")
		g.Journeys = append(g.Journeys, drawn(t, "", of-fail, "s.in SERVER 0-10\n  w.do CLIENT 1-5").Journeys...)
		return g
	}
	for _, c := range []struct {
		a, b int
		want []string
	}{
		{0, 1, []string{"error w.do"}}, {3, 4, nil}, {2, 20, []string{"error w.do"}}, {20, 2, []string{"error w.do"}}, {25, 25, nil},
	} {
		equalLines(t, fmt.Sprintf("%d against %d of 25 fail", c.a, c.b), changes(compare.Nodes([]compare.Group{group(c.a, 25), group(c.b, 25)})), c.want)
	}
}

// Recursions that are alike for long, below different roots: neither their text nor their number may cost the square.
func TestDeepTwins(t *testing.T) {
	raced.OneGoroutine(t)
	const depth = 8_000
	chain := func(root string, depth int) compare.Group {
		spans := draw.Shapes(depth)["deep"]
		spans[0].Name = root
		return compare.Group{Name: root, Journeys: journey.NewSet(spans).Journeys()}
	}
	nodes := compare.Nodes([]compare.Group{chain("a", depth), chain("b", depth-10)})
	if len(nodes) != depth { // the roots have one step, so they are one node
		t.Errorf("%d nodes, want %d: each of the longer chain", len(nodes), depth)
	}
}
