package lab_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
)

// TestATargetWithASmallLedger drives an orders service elsewhere that remembers four orders. While all of them are pending it refuses others; when
// they are final it forgets the oldest before the run has read what became of them. The run says so, and the sums balance.
func TestATargetWithASmallLedger(t *testing.T) {
	const orders, remembered = 12, 4
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, unchanged, func(c *services.Config) { c.Remembered, c.AllowFaults = remembered, true })
	run := func(form services.Form, change func(*lab.Config)) (*lab.Result, lab.Accounts) {
		config := lab.Config{Orders: orders, Seed: 1, Forms: []services.Form{form}, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(), Version: "test"}
		change(&config)
		result, err := lab.Run(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		balanced(t, result)
		a := result.Forms[form].Orders
		if got := outcomes(t, result, form); got["refused"] != a.Refused || got["forgotten"] != a.Forgotten || got["completed"]+got["failed"]+got["refused"]+got["forgotten"] != orders {
			t.Errorf("%s: outcomes %v, accounts %+v", form, got, a)
		}
		return result, a
	}
	// All are placed while the first ones still wait for payment.
	result, a := run(services.GRPC, func(c *lab.Config) { c.Rate, c.Faults = 400, faults("payment:delay=1s") })
	if a.Refused == 0 || a.Accepted < remembered || a.Completed != a.Accepted {
		t.Errorf("%+v, want orders refused while %d are pending, and the accepted ones completed", a, remembered)
	}
	var text strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d = %d + %d", orders, a.Accepted, a.Refused); !strings.Contains(text.String(), "placed = accepted + refused") || !strings.Contains(text.String(), want) {
		t.Errorf("the report does not say %q:\n%s", want, text.String())
	}
	// All are placed and final before the run reads a state.
	result, a = run(services.REST, func(c *lab.Config) { c.Rate = 12 }) // each has 333 ms
	if want := fmt.Sprintf("%s: orders forgot %d order", services.REST, a.Forgotten); a.Forgotten == 0 ||
		!slices.ContainsFunc(result.Warnings, func(w string) bool { return strings.HasPrefix(w, want) }) {
		t.Errorf("%+v, warnings %q: want %q", a, result.Warnings, want)
	}
}

// TestATargetIsWaitedFor: that spans will not come cannot be known of services elsewhere, so the run waits until its deadline and says so, once.
func TestATargetIsWaitedFor(t *testing.T) {
	testkit.Unraced(t, "TestATargetWithASmallLedger")
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, unchanged, func(c *services.Config) { c.AllowFaults = true })
	for fault, said := range map[string]int{"orders:drop-context": 1, "orders:delay=1ms": 0} {
		config := lab.Config{Orders: 2, Seed: 1, Rate: 40, Forms: []services.Form{services.GRPC}, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(), Version: "test", Faults: faults(fault), Deadline: 1500 * time.Millisecond}
		result, err := lab.Run(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		healthy(t, result)
		if got := strings.Count(strings.Join(result.Explained, "\n"), "the run waited its whole deadline of 1.5s for what the incomplete journeys lack"); got != said {
			t.Errorf("fault %s: said %d times, want %d: %q", fault, got, said, result.Explained)
		}
	}
}
