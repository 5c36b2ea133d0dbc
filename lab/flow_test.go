package lab_test

import (
	"slices"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// sorting is a flow that the code has never seen: steps that not every unit passes through, and a join of unequal branches.
const sorting = `flow: sorting
body: {name: text 1..10, kind: one of small big}
steps:
  desk.Take: {wait: 1ms}
  scale.Weigh: {after: desk.Take, message: sorting.taken, wait: 2ms, share: 0.5}
  truck.Load: {after: scale.Weigh, message: sorting.weighed, wait: 3ms, when: kind = big}
  archive.Keep: {after: desk.Take, message: sorting.kept, wait: 9ms}
forms:
  calls: {each: http}
  nested: {each: grpc, plan: callee}
  messages: {each: kafka, desk.Take: grpc}
  mixed: {each: grpc, archive.Keep: kafka}
`

// TestARunOfAnyFlow: every journey is complete, every account balances, and the same work is done, in all forms of the built-in flows and of the
// test's own.
func TestARunOfAnyFlow(t *testing.T) {
	t.Parallel() // in virtual time
	own, err := flows.Parse("sorting.yaml", []byte(sorting))
	if err != nil {
		t.Fatal(err)
	}
	list := []*flows.Flow{own}
	for _, name := range []string{"order", "ride", "reaction", "profile", "activity", "chain:3", "fan-out:4"} {
		f, err := flows.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	const orders = 3
	for _, f := range testkit.Few(2, list) {
		t.Run(f.Name, func(t *testing.T) {
			forms := f.Forms()
			for _, form := range f.FormsBy(flows.RabbitMQ) { // there is none in virtual time
				forms = slices.DeleteFunc(forms, func(other flows.Form) bool { return other == form })
			}
			virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders = f, forms, orders }, func(t *testing.T, result *lab.Result) {
				if len(result.Problems) > 0 || result.Flow != f.Name {
					t.Errorf("flow %s, problems %q", result.Flow, result.Problems)
				}
				inItsWords(t, f, result)
				if found := lint.Check(journey.NewSet(runSpans(t, result))).Findings; len(found) > 0 {
					t.Errorf("%d findings of lint, the first: %+v", len(found), found[0])
				}
				views := f.Views() // they do less
				checkSameWork(t, result, slices.DeleteFunc(slices.Clone(forms), func(form flows.Form) bool { return slices.Contains(views, form) }))
				for _, form := range forms {
					leftOut := orders * len(f.LeftOut(form)) // a view does less
					if r := result.Forms[form]; r.Journeys != orders || r.Orders.Completed != orders || r.Effects.Once+leftOut != result.Forms[forms[0]].Effects.Once {
						t.Errorf("%s: %d journeys, %+v, %+v: want %d of each, and the same steps as %s", form, r.Journeys, r.Orders, r.Effects, orders, forms[0])
					}
				}
			})
		})
	}
}

// TestAFieldOfAQueryFailsAsACall: the same orders fail of the same step, its siblings are done all the same, and the page is not put together.
func TestAFieldOfAQueryFailsAsACall(t *testing.T) {
	t.Parallel() // in virtual time
	f := named("profile")
	fault, err := services.ParseFault(f, "posts:error=gone@0.5")
	if err != nil {
		t.Fatal(err)
	}
	const orders = 8
	virtually(t, func(c *lab.Config) {
		c.Flow, c.Forms, c.Orders, c.Faults = f, []flows.Form{"together", "graphql"}, orders, append(c.Faults, fault)
	}, func(t *testing.T, result *lab.Result) {
		calls, query := result.Forms["together"], result.Forms["graphql"]
		if calls.Orders != query.Orders || calls.Effects != query.Effects || query.Journeys != orders || query.Orders.Failed == 0 || query.Orders.Completed == 0 {
			t.Errorf("calls %+v %+v, a query %+v %+v: want the same, some failed and some completed", calls.Orders, calls.Effects, query.Orders, query.Effects)
		}
		if want := 6*orders - 2*query.Orders.Failed; query.Effects.Once != want {
			t.Errorf("%d steps done, want %d: all but the failed ones and the ones behind", query.Effects.Once, want)
		}
	})
}
