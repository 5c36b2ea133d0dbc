package lab_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/internal/testkit"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
)

// TestFaultsFireAsDrawn: a share of the orders, the same in every form, counted by the services and by the seed, and told in every output. A fault
// behind one that ends the order fires on fewer.
func TestFaultsFireAsDrawn(t *testing.T) {
	testkit.Unraced(t, "TestAccountsBalanceWithEachFault")
	t.Parallel() // in virtual time
	virtually(t, func(c *lab.Config) {
		c.Orders, c.Rate = 20, 40
		c.Faults = faults("inventory:delay=2ms@0.3", "payment:error=payment_declined@0.5", "shipping:delay=1ms", "payment:delay=1ms,from=1s,to=1500ms", "payment:delay=1ms,attempt=2")
	}, func(t *testing.T, result *lab.Result) {
		if len(result.Problems) > 0 {
			t.Errorf("problems: %q", result.Problems)
		}
		for form, f := range result.Forms {
			fired := f.Faulted.Fired
			if fired[3].Fired == 0 || fired[3].Fired >= 20 {
				t.Errorf("%s: the fault of half a second fired on %d orders", form, fired[3].Fired)
			}
			fired[3].Fired = 5
			if diff := cmp.Diff([]lab.FiredFault{
				{Fault: "inventory:delay=2ms@0.3", Orders: 20, Drawn: 6, Reached: 6, Fired: 6},
				{Fault: "payment:error=payment_declined@0.5", Orders: 20, Drawn: 10, Fired: 10},
				{Fault: "shipping:delay=1ms", Orders: 20, Drawn: 20, Reached: 10, Fired: 10},
				{Fault: "payment:delay=1ms,from=1s,to=1.5s", Orders: 20, Drawn: 20, Fired: 5},
				{Fault: "payment:delay=1ms,attempt=2", Orders: 20, Drawn: 20},
			}, fired); diff != "" {
				t.Errorf("%s (-want +got):\n%s", form, diff)
			}
		}
		var text bytes.Buffer
		if err := result.WriteText(&text, format.Style{}); err != nil {
			t.Fatal(err)
		}
		for what, in := range map[string]string{"text": text.String(), "notes": strings.Join(result.Notes(), "\n")} {
			for _, line := range []string{
				"inventory:delay=2ms@0.3 fired on 6 of 20, as drawn (each form)",
				"shipping:delay=1ms fired on 10 of 20, as drawn: 20 were drawn, 10 of them did not come to it (each form)",
			} {
				if !strings.Contains(in, line) {
					t.Errorf("%s has no %q:\n%s", what, line, in)
				}
			}
		}
	})
}

// TestFaultThatDidNotFireIsAProblem: what a service counts and the seed draws must agree.
func TestFaultThatDidNotFireIsAProblem(t *testing.T) {
	result := &lab.Result{Forms: map[services.Form]*lab.FormResult{}}
	result.Faults = []string{"payment:delay=1ms"}
	for fired, want := range map[int]string{8: "NOT as drawn", 9: "as drawn: 10 were drawn", 10: "as drawn", 11: "NOT as drawn"} {
		got := lab.FiredFault{Fault: "payment:delay=1ms", Orders: 30, Drawn: 10, Reached: 9, Fired: fired}.String()
		if !strings.Contains(got, want) {
			t.Errorf("%d fired: %q, want %q", fired, got, want)
		}
	}
	if got := (lab.FiredFault{Orders: 30, Drawn: 9, Reached: 9, Fired: 9}).String(); got != "9 of 30, as drawn" {
		t.Errorf("%q", got)
	}
}
