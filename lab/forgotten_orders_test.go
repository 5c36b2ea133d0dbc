package lab_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// outcomes counts what orders.jsonl says of a form's orders.
func outcomes(t *testing.T, result *lab.Result, form services.Form) map[string]int {
	t.Helper()
	run, _, err := rundir.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int{}
	if err := run.Orders(func(o rundir.Order) {
		if o.Form == string(form) {
			sums[o.Outcome]++
		}
	}); err != nil {
		t.Fatal(err)
	}
	return sums
}

// TestAccountsBalanceWhenOrdersForgets runs with an orders service that remembers few orders. Those that it forgets stay in
// the sums. While it remembers as many as half a second brings, the run knows what became of each.
func TestAccountsBalanceWhenOrdersForgets(t *testing.T) {
	t.Parallel()     // in virtual time
	const orders = 8 // of each form: more than are remembered, and than come in half a second
	for name, c := range map[string]struct {
		change  func(*lab.Config)
		failed  int
		forgets bool // before the run has read it
	}{
		"read as it goes": {func(c *lab.Config) { c.Remembered = 18 }, 0, false},
		"failures": {func(c *lab.Config) {
			c.Remembered, c.Faults = 18, faults("payment:error=payment_declined@0.4")
		}, 40, false},
		"forgotten before they are read": {func(c *lab.Config) { c.Remembered, c.Rate = 18, 100 }, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "read as it goes" {
				testkit.Unraced(t, "TestAccountsBalanceWhenOrdersForgets/read as it goes")
			}
			result := quickly(t, func(config *lab.Config) { config.Orders, config.Rate = orders, 20; c.change(config) })
			balanced(t, result)
			if len(result.Problems) > 0 {
				t.Errorf("problems %q", result.Problems)
			}
			forgotten := 0
			for _, form := range flows.Order().DefaultForms() {
				a, got := result.Forms[form].Orders, outcomes(t, result, form)
				if a.Placed != orders || a.Accepted != orders || a.Failed == 0 != (c.failed == 0) {
					t.Errorf("%s: %+v, want %d accepted", form, a, orders)
				}
				if got["forgotten"] != a.Forgotten || got["completed"]+got["failed"]+a.Forgotten != orders {
					t.Errorf("%s: outcomes %v, accounts %+v", form, got, a)
				}
				if !c.forgets && (got["completed"] != a.Completed || got["failed"] != a.Failed) {
					t.Errorf("%s: outcomes %v, want those of the accounts %+v", form, got, a)
				}
				if said := slices.Contains(result.Warnings, fmt.Sprintf("%s: orders forgot %d orders before the run had read what became of them: they are in the sums, and orders.jsonl has them as forgotten", form, a.Forgotten)); said != (a.Forgotten > 0) {
					t.Errorf("%s: %d orders forgotten, warnings %q", form, a.Forgotten, result.Warnings)
				}
				forgotten += a.Forgotten
			}
			if c.forgets != (forgotten > 0) {
				t.Errorf("%d orders were forgotten before they were read, want some: %v; %s", forgotten, c.forgets, strings.Join(result.Warnings, "; "))
			}
		})
	}
}
