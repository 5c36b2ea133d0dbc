package compare_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tracelab/journey/compare"
)

// formGroups draws the flow of an order by calls and by messages, n orders each, from testdata.
func formGroups(t testing.TB, n int) []compare.Group {
	t.Helper()
	var groups []compare.Group
	for _, form := range []string{"grpc", "kafka"} {
		drawing, err := os.ReadFile(filepath.Join("testdata", form+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, drawn(t, form, n, string(drawing)))
	}
	return groups
}

// The five hops that are calls on one side and messages on the other are named, every step meets its twin, and what only
// messages need is added.
func TestCallsMeetMessages(t *testing.T) {
	for _, n := range []int{1, 8} {
		nodes := compare.Nodes(formGroups(t, n))
		var carriers, steps, added []string
		for _, x := range nodes {
			switch {
			case x.Change == compare.ChangeCarrier:
				carriers = append(carriers, x.Service)
			case x.Change == compare.ChangeAdded:
				added = append(added, x.Service+" "+x.Name)
			case x.Kind == compare.NodeInternal && x.Groups[0].Count == n && x.Groups[1].Count == n:
				steps = append(steps, x.Name)
			case x.Kind != compare.NodeEntry && x.Service != "orders":
				t.Errorf("%s %s is %s", x.Service, x.Name, x.Change)
			}
		}
		slices.Sort(carriers)
		slices.Sort(steps)
		slices.Sort(added)
		equalLines(t, "carriers", carriers, []string{"analytics", "inventory", "notification", "payment", "shipping"})
		equalLines(t, "steps", steps, []string{"analytics.Record", "inventory.Reserve", "notification.Notify", "orders.Accept", "orders.Complete", "payment.Charge", "shipping.Dispatch"})
		equalLines(t, "added", added, []string{
			"analytics send-order.fulfilled.3", "inventory send-stock.reserved", "notification send-order.fulfilled.2", "orders process-order.fulfilled", "orders process-order.fulfilled",
			"orders process-order.fulfilled", "orders send-order.placed", "payment send-payment.captured", "shipping send-order.fulfilled",
		})
	}
}

// Whichever branch comes last does the join: in some journeys it hangs here, in others there, but it is one node.
func TestAJoinIsOneNode(t *testing.T) {
	const calls = "s.in SERVER 0-30\n  s.a 1-9\n  s.Join 10-12"
	const first = "s.in SERVER 0-5\n  a.send PRODUCER 1-2\n    a.do CONSUMER 3-9\n      s.Join 5-8\n  b.send PRODUCER 1-2\n    b.do CONSUMER 3-4"
	const second = "s.in SERVER 0-5\n  a.send PRODUCER 1-2\n    a.do CONSUMER 3-4\n  b.send PRODUCER 1-2\n    b.do CONSUMER 3-9\n      s.Join 5-8"
	messages := drawn(t, "messages", 5, first)
	messages.Journeys = append(messages.Journeys, drawn(t, "", 3, second).Journeys...)
	all := drawn(t, "all", 8, first)
	for _, groups := range [][]compare.Group{{drawn(t, "calls", 8, calls), messages}, {messages, drawn(t, "calls", 8, calls)}, {all, messages}, {messages, all}} {
		found := 0
		for _, n := range compare.Nodes(groups) {
			if n.Name == "s.Join" {
				found++
				if n.Groups[0].Count != 8 || n.Groups[1].Count != 8 {
					t.Errorf("%d joins meet %d, want 8 and 8", n.Groups[0].Count, n.Groups[1].Count)
				}
			}
		}
		if found != 1 {
			t.Errorf("%d nodes for the join", found)
		}
	}
}

// Three groups stand side by side: the first is the base, and what only the others have is one row of theirs.
func TestThreeGroups(t *testing.T) {
	groups := append(formGroups(t, 2), formGroups(t, 2)[1])
	groups[2].Name = "again"
	for _, n := range compare.Nodes(groups) {
		if len(n.Groups) != 3 || n.Groups[0].Change != compare.ChangeSame || n.Groups[1].Change != n.Groups[2].Change || n.Groups[1].Count != n.Groups[2].Count || n.Change != n.Groups[1].Change {
			t.Errorf("%s %s: %s in all, in each %+v", n.Service, n.Name, n.Change, n.Groups)
		}
	}
}

func TestStructures(t *testing.T) {
	g := drawn(t, "g", 3, "s.in SERVER 0-10\n  s.b 3-4\n  s.a 1-2")
	g.Journeys = append(g.Journeys, drawn(t, "", 1, "s.in SERVER 5-15\n  s.a 6-7\n  s.a 7-8\n  s.c 8-9").Journeys...)
	list := compare.Describe(g).Structures
	if len(list) != 2 || list[0].Journeys != 3 || list[0].Share != 0.75 || list[0].Nodes != 3 || list[1].Journeys != 1 || list[1].Share != 0.25 {
		t.Fatalf("structures %+v", list)
	}
	equalLines(t, "more", list[1].More, []string{"s s.a", "s s.c"})
	equalLines(t, "less", list[1].Less, []string{"s s.b"})
	if list[0].Example != "00000000000000000000000000000001" || len(list[0].More)+len(list[0].Less) != 0 {
		t.Errorf("the most frequent one: %+v", list[0])
	}
	one, two := compare.Describe(drawn(t, "", 1, "s.in SERVER 0-10\n  s.a 1-2")).Structures, compare.Describe(drawn(t, "", 1, "s.in SERVER 0-10\n  s.a 1-2\n  s.a 3-4")).Structures
	if one[0].Signature == two[0].Signature {
		t.Errorf("once and twice have one signature")
	}
	same := compare.Describe(drawn(t, "again", 1, "s.in SERVER 100-200\n  s.a 101-150\n  s.b 160-170 service=s")).Structures
	if same[0].Signature != list[0].Signature || same[0].Signature == list[1].Signature {
		t.Errorf("signatures: %s for the same tree as %s", same[0].Signature, list[0].Signature)
	}
}

// A join runs behind the branch that ends last: which one that is, is no difference in what the journeys are made of.
func TestStructuresOfAJoin(t *testing.T) {
	const (
		aLast  = "s.in SERVER 0-100\n  s.a PRODUCER 1-2\n    j.done/1 CONSUMER 40-50\n      j.complete 45-48\n  s.b PRODUCER 1-2\n    j.done/2 CONSUMER 20-30"
		bLast  = "s.in SERVER 0-100\n  s.a PRODUCER 1-2\n    j.done/1 CONSUMER 20-30\n  s.b PRODUCER 1-2\n    j.done/2 CONSUMER 40-50\n      j.complete 45-48"
		bFirst = "s.in SERVER 0-100\n  s.a PRODUCER 1-2\n    j.done/1 CONSUMER 40-50\n  s.b PRODUCER 1-2\n    j.done/2 CONSUMER 20-30\n      j.complete 25-28"
	)
	for _, c := range []struct {
		why, other    string
		joined, moved []string
	}{
		{"the other branch ended last", bLast, []string{"j j.complete"}, nil},
		{"below the other branch, though that ended first", bFirst, nil, []string{"j j.complete"}},
	} {
		g := drawn(t, "g", 2, aLast)
		g.Journeys = append(g.Journeys, drawn(t, "g", 1, c.other).Journeys...)
		s := compare.Describe(g).Structures[1]
		equalLines(t, c.why+": joined", s.Joined, c.joined)
		equalLines(t, c.why+": moved", s.Moved, c.moved)
	}
}
