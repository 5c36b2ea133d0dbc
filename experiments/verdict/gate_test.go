package verdict

import (
	"math"
	"strings"
	"testing"
	"time"
)

// steadyRuns makes runs up that begin at a wait and drift.
func steadyRuns(runs, orders int, drift float64) [][]float64 {
	all := make([][]float64, runs)
	for r := range all {
		for i := range orders {
			all[r] = append(all[r], 50+drift*float64(i)/float64(orders)+float64((7*i+3*r)%11))
		}
	}
	return all
}

// Each gate passes once and fails in each of its ways; a failed one makes the verdict not valid, and says what to change.
func TestGates(t *testing.T) {
	failing := steadyRuns(3, 40, 0)
	failing[1][3], failing[1][4] = math.Inf(1), math.Inf(1)
	for _, c := range []struct {
		name   string
		seen   Conditions
		passes bool
		says   string
	}{
		{"steady", Conditions{Steady: &Steady{steadyRuns(5, 40, 0), 10}}, true, "drift"},
		{"steady in one run", Conditions{Steady: &Steady{steadyRuns(1, 40, 0), 10}}, true, "drift"},
		{"a drift within the band", Conditions{Steady: &Steady{steadyRuns(5, 40, 10), 10}}, true, "drift"},
		{"a queue that grows", Conditions{Steady: &Steady{steadyRuns(5, 40, 100), 10}}, false, "lower the rate"},
		{"a queue that grows in one run", Conditions{Steady: &Steady{steadyRuns(1, 40, 100), 10}}, false, "lower the rate"},
		{"orders that fail before the fault", Conditions{Steady: &Steady{failing, 10}}, false, "2 of 120 orders failed"},
		{"too few orders before the fault", Conditions{Steady: &Steady{steadyRuns(5, 11, 0), 10}}, false, "let more time pass"},
		{"no run before the fault", Conditions{Steady: &Steady{nil, 10}}, false, "0 of 0"},
		{"hits as drawn", Conditions{Faults: []Fault{{"payment:delay", 100, 100}}}, true, "100"},
		{"hits lost", Conditions{Faults: []Fault{{"payment:delay", 100, 99}}}, false, "orders were lost"},
		{"hits too many", Conditions{Faults: []Fault{{"payment:delay", 100, 103}}}, false, "tried again"},
		{"a fault that never fired", Conditions{Faults: []Fault{{"payment:delay", 100, 0}}}, false, "faults allowed"},
		{"a fault that was never drawn", Conditions{Faults: []Fault{{"payment:delay", 0, 0}}}, false, "draws no hit"},
		{"on time", Conditions{Generator: &Generator{2 * time.Millisecond}}, true, "2ms"},
		{"late", Conditions{Generator: &Generator{2*time.Millisecond + 1}}, false, "lower the rate"},
		{"late for a small effect only", Conditions{Generator: &Generator{4 * time.Millisecond}, Delta: 40 * time.Millisecond}, true, "at most 4ms"},
		{"late for a large effect, too", Conditions{Generator: &Generator{5 * time.Millisecond}, Delta: 40 * time.Millisecond}, false, "at most 4ms"},
		{"fed", Conditions{Process: &Process{0.69, 2 * time.Millisecond}}, true, "69 %"},
		{"at the line of CPU", Conditions{Process: &Process{0.7, 0}}, false, "more cores"},
		{"starved in the run queue", Conditions{Process: &Process{0.2, 3 * time.Millisecond}}, false, "run-queue delay p99 3ms"},
		{"a residual at its band", Conditions{Model: &Residual{"wait", 100, 105, Band(2, 100)}}, true, "at most 5 apart"},
		{"a residual over its band", Conditions{Model: &Residual{"wait", 100, 94.9, Band(2, 100)}}, false, "does not name"},
		{"a residual that is no number", Conditions{Model: &Residual{"wait", 100, math.NaN(), Band(2, 100)}}, false, "does not name"},
		{"a residual within half of the effect", Conditions{Model: &Residual{"wait", 10, 19, Band(20, 10)}}, true, "at most 10 apart"},
	} {
		gates := c.seen.Gates()
		if len(gates) != 1 || gates[0].Passed != c.passes || !strings.Contains(gates[0].Measured+gates[0].Change, c.says) {
			t.Errorf("%s: %+v, want passed: %v with %q", c.name, gates, c.passes, c.says)
			continue
		}
		want := Holds
		if !c.passes {
			want = NotValid
		}
		v := Judge(gates, Part{"x", Exact(9, 1, "runs"), MoreThan(5)})
		if v.Word != want || c.passes != (gates[0].Change == "") || !c.passes && !strings.Contains(v.Why(), gates[0].Change) {
			t.Errorf("%s: the verdict %s says %q", c.name, v.Word, v.Why())
		}
	}
	if gates := (Conditions{}).Gates(); len(gates) != 0 {
		t.Errorf("nothing was seen, and %d gates were checked", len(gates))
	}
	all := Conditions{
		Steady: &Steady{steadyRuns(5, 40, 0), 10}, Faults: []Fault{{"a", 1, 1}, {"b", 1, 1}}, Generator: &Generator{}, Process: &Process{}, Model: &Residual{},
	}.Gates()
	if len(all) != 6 || len(failed(all)) != 0 {
		t.Errorf("six conditions: %+v", all)
	}
}
