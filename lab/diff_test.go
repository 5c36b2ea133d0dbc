package lab_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// Sync against async, of the lab's own run: every step is paired with itself, the five hops that messages carry instead
// of calls are named, and what the nodes differ by adds up to what the forms differ by.
func TestDiffOfGRPCAndKafka(t *testing.T) {
	testkit.Unraced(t, "TestAccountsOfAHealthyRun")
	t.Parallel() // in virtual time
	virtually(t, func(config *lab.Config) {
		config.Forms, config.Orders = []services.Form{services.GRPC, services.Kafka}, 8
	}, func(t *testing.T, result *lab.Result) {
		run, _, err := rundir.Open(result.Dir)
		if err != nil {
			t.Fatal(err)
		}
		var groups []compare.Group
		for _, form := range []services.Form{services.GRPC, services.Kafka} {
			group, _, err := run.Group(string(form))
			if err != nil || len(group.Journeys) != 8 {
				t.Fatalf("%s: %d journeys, %v", form, len(group.Journeys), err)
			}
			groups = append(groups, group)
		}
		nodes := compare.Nodes(groups, compare.WithPairs(compare.ByAttribute(services.KeyNumber)))
		checkSteps(t, nodes)
		checkCarriers(t, nodes)
		checkSums(t, groups, nodes)
	})
}

// checkSteps wants each step as one node that both forms have.
func checkSteps(t *testing.T, nodes []compare.Node) {
	t.Helper()
	for _, hop := range flows.Order().Rows {
		i := slices.IndexFunc(nodes, func(n compare.Node) bool { return n.Name == string(hop.Step) })
		if i < 0 {
			t.Errorf("no node of %s", hop.Step)
			continue
		}
		for _, in := range nodes[i].Groups {
			if in.Count != 8 || in.Journeys != 8 {
				t.Errorf("%s is %d times in %d journeys of %s, want once in each of 8", hop.Step, in.Count, in.Journeys, in.Group)
			}
		}
	}
}

// checkCarriers wants the five hops that the table carries by message in kafka and by call in grpc.
func checkCarriers(t *testing.T, nodes []compare.Node) {
	t.Helper()
	var got, want []string
	for _, n := range nodes {
		if n.Change == compare.ChangeCarrier {
			got = append(got, n.Service)
		}
	}
	calls, err := flows.Order().Plan(services.GRPC)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := flows.Order().Plan(services.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	for i, hop := range calls.Hops {
		if hop.By == flows.RPC && messages.Hops[i].By == flows.KafkaLog {
			want = append(want, hop.Step.Service())
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) != 5 || !slices.Equal(got, want) {
		t.Errorf("the carrier changed at %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// checkSums wants the mean differences of the nodes to add up to the mean difference of the forms, on both paths, to a
// nanosecond for each node.
func checkSums(t *testing.T, groups []compare.Group, nodes []compare.Node) {
	t.Helper()
	mean := func(g compare.Group, of func(*journey.Journey) time.Duration) float64 {
		var sum time.Duration
		for _, j := range g.Journeys {
			sum += of(j)
		}
		return float64(sum) / float64(len(g.Journeys))
	}
	for _, path := range []struct {
		name  string
		whole func(*journey.Journey) time.Duration
		part  func(compare.NodeIn) float64
	}{
		{"caller wait", func(j *journey.Journey) time.Duration { wait, _ := j.CallerWait(); return wait }, func(n compare.NodeIn) float64 { return n.Path.Response.Mean }},
		{"completion", (*journey.Journey).Completion, func(n compare.NodeIn) float64 { return n.Path.Completion.Mean }},
	} {
		whole := mean(groups[1], path.whole) - mean(groups[0], path.whole)
		var parts float64
		for _, n := range nodes {
			parts += path.part(n.Groups[1]) - path.part(n.Groups[0])
		}
		if math.Abs(whole-parts) > float64(len(nodes)) {
			t.Errorf("%s: the nodes differ by %.0f ns in sum, the forms by %.0f ns", path.name, parts, whole)
		}
	}
}
