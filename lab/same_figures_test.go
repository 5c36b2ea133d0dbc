package lab_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestFiguresOnTheWayAreThoseOfTheWholeRun judges a run twice: as it went, an order at a time, and from its directory,
// with all spans of a form in one set.
func TestFiguresOnTheWayAreThoseOfTheWholeRun(t *testing.T) {
	t.Parallel() // in virtual time
	const few = 6
	for name, change := range map[string]func(*lab.Config){
		"both":     func(c *lab.Config) { c.Relation, c.Orders = relation("both"), 20 }, // as many as a p95 takes
		"link":     func(c *lab.Config) { c.Relation = relation("link") },
		"parent":   func(c *lab.Config) { c.Relation = relation("parent") },
		"kotel":    func(c *lab.Config) { c.Kotel, c.Forms = true, []services.Form{services.Kafka} },
		"failures": func(c *lab.Config) { c.Faults = faults("payment:error=payment_declined@0.4") },
		"incomplete": func(c *lab.Config) {
			c.Faults, c.Timeout, c.Deadline = faults("shipping:hang=2s@0.4"), time.Second, 500*time.Millisecond
		},
		"nothing held": func(c *lab.Config) { c.HeldSpans = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			if name != "link" {
				testkit.Unraced(t, "TestFiguresOnTheWayAreThoseOfTheWholeRun/link")
			}
			result := quickly(t, func(c *lab.Config) { c.Orders, c.Rate = few, 400; change(c) })
			whole := judgeWhole(t, result)
			for form, f := range result.Forms {
				group := whole[form]
				described := compare.Describe(group)
				for measure, got := range map[string]*compare.Summary{
					compare.CallerWait: &f.CallerWait, compare.Completion: &f.Completion, compare.Tail: &f.Tail, compare.QueueWait: f.QueueWait,
				} {
					want := described.Of(measure)
					if want == nil {
						want = map[bool]*compare.Summary{true: nil, false: {}}[measure == compare.QueueWait]
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s %s (-whole +on the way):\n%s", form, measure, diff)
					}
				}
				if f.Journeys != len(group.Journeys) || f.Journeys+f.Incomplete != f.Orders.Placed || f.Orders.Placed < few {
					t.Errorf("%s: %d journeys and %d incomplete, the whole has %d", form, f.Journeys, f.Incomplete, len(group.Journeys))
				}
				if len(group.Journeys) > 0 && result.MedianJourney(form).Traces()[0] != journey.Median(group.Journeys).Traces()[0] {
					t.Errorf("%s: another order is the median", form)
				}
			}
			compareDifferences(t, result, whole)
		})
	}
}

// judgeWhole reads all spans of a run into one set, and finds the journeys of the orders that are complete by their roots.
func judgeWhole(t *testing.T, result *lab.Result) map[services.Form]compare.Group {
	t.Helper()
	run, _, err := rundir.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	spans, warnings, err := run.Spans()
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	set := journey.NewSet(spans)
	byTrace := map[string]*journey.Journey{}
	for _, j := range set.Journeys() {
		if root, ok := j.Root(); ok && set.Span(root).Service == "client" {
			byTrace[set.Span(root).Trace.String()] = j
		}
	}
	groups := map[services.Form]compare.Group{}
	err = run.Orders(func(o rundir.Order) {
		if o.Incomplete != "" {
			return
		}
		g := groups[services.Form(o.Form)]
		g.Name = o.Form
		j := byTrace[o.Trace]
		if j == nil {
			t.Fatalf("order %d of %s has no journey", o.Number, o.Form)
		}
		root, _ := j.Root()
		if number, _ := set.Span(root).Attr(services.KeyNumber); number.String() != strconv.Itoa(o.Number) {
			t.Fatalf("order %d has the journey of order %s", o.Number, number)
		}
		g.Journeys = append(g.Journeys, j)
		groups[services.Form(o.Form)] = g
	})
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

func compareDifferences(t *testing.T, result *lab.Result, whole map[services.Form]compare.Group) {
	t.Helper()
	for _, got := range result.Comparisons {
		list, _ := compare.Differences(whole[services.Form(got.Base)], whole[services.Form(got.Other)], compare.WithPairs(compare.ByAttribute(services.KeyNumber)))
		i := slices.IndexFunc(list, func(d compare.Difference) bool { return d.Measure == got.Measure })
		if i < 0 {
			t.Errorf("%s against %s, %s is in no comparison of the whole", got.Other, got.Base, got.Measure)
			continue
		}
		if diff := cmp.Diff(list[i], got.Difference); diff != "" {
			t.Errorf("%s against %s, %s (-whole +on the way):\n%s", got.Other, got.Base, got.Measure, diff)
		}
	}
}
