package lab_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tracelab/derive"
	"tracelab/internal/testkit"
	"tracelab/internal/traceset"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestAFlowFromTracesIsAsFast derives a flow from the lab's own traces and runs it: the client waits as long as before, and the work takes as
// long, within a tenth. In virtual time both runs are the same each time.
func TestAFlowFromTracesIsAsFast(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	const orders, tenth = 30, 0.1
	for form, answered := range map[services.Form]string{services.GRPC: "done", services.Kafka: "early"} {
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
			if plan.EndsInCall() != (answered == "done") {
				t.Errorf("the answer is not %s\n%s", answered, derived.YAML)
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

// TestFlowsFromTracesOfOthersRun derives a flow from each case of the judge, among them those of Tempo, Jaeger and Zipkin, and runs it: every
// unit completes in every form. Cases that give the same flow but for names and costs are run once.
func TestFlowsFromTracesOfOthersRun(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	files, err := filepath.Glob(filepath.Join("..", "journey", "testdata", "cases", "*.json"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	alike := map[string][]string{} // by shape
	shapes := map[string]*flows.Flow{}
	for _, file := range files {
		if filepath.Base(file) == "d15-null.json" { // no traces
			continue
		}
		derived := deriveFrom(t, file)
		shape := shapeOf(derived.Flow)
		alike[shape], shapes[shape] = append(alike[shape], filepath.Base(file)), derived.Flow
	}
	for shape, files := range alike {
		t.Run(files[0], func(t *testing.T) {
			f := shapes[shape]
			for i, row := range f.Rows { // one of the cases is a stream of ten minutes
				f.Rows[i].Cost = flows.Cost{Wait: min(row.Cost.Wait, 20*time.Millisecond)}
			}
			forms := slices.DeleteFunc(f.Forms(), func(form flows.Form) bool { return slices.Contains(f.FormsBy(flows.RabbitMQ), form) })
			virtually(t, func(c *lab.Config) { c.Flow, c.Forms = f, forms }, func(t *testing.T, result *lab.Result) {
				for _, form := range forms {
					if r := result.Forms[form]; r.Orders.Completed != 1 || r.Journeys != 1 {
						t.Errorf("%s of %v: %+v, %d journeys, problems %q", form, files, r.Orders, r.Journeys, result.Problems)
					}
				}
			})
		})
	}
}

// shapeOf is a flow without its names and costs.
func shapeOf(f *flows.Flow) string {
	text := ""
	for _, row := range f.Rows {
		text += "|"
		for _, after := range row.After {
			text += fmt.Sprint(slices.Index(f.Steps(), after), " ")
		}
		for _, column := range f.Columns {
			text += fmt.Sprint(column.By[row.Step], column.Answer != "", column.Waits, column.Callee)
		}
	}
	return text
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
	derived, err := derive.From(group.Journeys, derive.Options{AtLeast: 1, IncludeIncomplete: true})
	if err != nil {
		t.Fatal(err)
	}
	return derived
}
