package lab_test

import (
	"math"
	"path/filepath"
	"testing"

	"tracelab/derive"
	"tracelab/internal/traceset"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestAFlowFromTracesIsAsFast derives a flow from the lab's own traces and runs it: the client waits as long as before, and the work takes as
// long, within a tenth. In virtual time both runs are the same each time.
func TestAFlowFromTracesIsAsFast(t *testing.T) {
	const orders, tenth = 40, 0.1
	for form, answered := range map[services.Form]string{services.GRPC: "done", services.Kafka: "early", services.Hybrid: "early", "ack": "early", "reply": "done", "chained": "done"} {
		t.Run(string(form), func(t *testing.T) {
			traced := func(f *flows.Flow, form services.Form) (figures [2]float64, dir string) {
				virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders = f, []services.Form{form}, orders }, func(t *testing.T, result *lab.Result) {
					of := result.Forms[form]
					if len(result.Problems) > 0 || of.Journeys != orders {
						t.Fatalf("%d journeys, problems %q", of.Journeys, result.Problems)
					}
					figures, dir = [2]float64{*of.CallerWait.Median, *of.Completion.Median}, result.Dir
				})
				return figures, dir
			}
			before, dir := traced(flows.Order(), form)
			derived := deriveFrom(t, filepath.Join(dir, string(form)))
			if got := len(derived.Flow.Rows); got != len(flows.Order().Rows) {
				t.Errorf("%d steps, want those of the order\n%s", got, derived.YAML)
			}
			plan, err := derived.Flow.Plan("traced")
			if err != nil {
				t.Fatal(err)
			}
			if plan.EndsInCall() != (answered == "done") || plan.Callee != (form == "chained") {
				t.Errorf("the answer is not %s, or plan: callee is %v\n%s", answered, plan.Callee, derived.YAML)
			}
			after, _ := traced(derived.Flow, "traced")
			for i, measure := range []string{"caller wait", "completion"} {
				if math.Abs(after[i]-before[i]) > tenth*before[i] {
					t.Errorf("%s: %.3f ms, of the derived flow %.3f ms\n%s", measure, before[i], after[i], derived.YAML)
				}
				t.Logf("%s: %.3f ms, of the derived flow %.3f ms (%+.1f %%)", measure, before[i], after[i], 100*(after[i]/before[i]-1))
			}
		})
	}
}

// deriveFrom derives a flow from what a command line would name.
func deriveFrom(t *testing.T, name string) *derive.Derived {
	t.Helper()
	inputs, err := (&traceset.Resolver{}).Resolve([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	group, _, err := inputs[0].Group(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	derived, err := derive.From(group.Journeys, derive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return derived
}
