package lab_test

import (
	"slices"
	"testing"

	"tracelab/lab"
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

// TestARunOfAnyFlow: every journey is complete and every account balances, in all forms of the built-in flows and of the test's own.
func TestARunOfAnyFlow(t *testing.T) {
	own, err := flows.Parse("sorting.yaml", []byte(sorting))
	if err != nil {
		t.Fatal(err)
	}
	list := []*flows.Flow{own}
	for _, name := range []string{"order", "ride", "reaction", "chain:3", "fan-out:4"} {
		f, err := flows.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	const orders = 6
	for _, f := range list {
		t.Run(f.Name, func(t *testing.T) {
			forms := f.Forms()
			for _, form := range f.FormsBy(flows.RabbitMQ) { // there is none in virtual time
				forms = slices.DeleteFunc(forms, func(other flows.Form) bool { return other == form })
			}
			virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders = f, forms, orders }, func(t *testing.T, result *lab.Result) {
				if len(result.Problems) > 0 || result.Flow != f.Name {
					t.Errorf("flow %s, problems %q", result.Flow, result.Problems)
				}
				for _, form := range forms {
					if r := result.Forms[form]; r.Journeys != orders || r.Orders.Completed != orders || r.Effects.Once != result.Forms[forms[0]].Effects.Once {
						t.Errorf("%s: %d journeys, %+v, %+v: want %d of each, and the same steps as %s", form, r.Journeys, r.Orders, r.Effects, orders, forms[0])
					}
				}
			})
		})
	}
}
