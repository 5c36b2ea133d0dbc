package experiments

import (
	"testing"
	"time"
)

// All claims together take ten minutes on two cores.
func TestBudgets(t *testing.T) {
	const most = 600 * time.Second
	sum := time.Duration(0)
	for _, c := range All() {
		if c.Budget < time.Second {
			t.Errorf("%s has a budget of %v", c.Name, c.Budget)
		}
		sum += c.Budget
	}
	if sum > most {
		t.Errorf("all budgets together are %v, at most %v", sum, most)
	}
}

// At its default size each claim with an outage has orders enough before it for the gate on the time before.
func TestOrdersBeforeAnOutage(t *testing.T) {
	const least = 12
	for _, c := range []struct {
		claim Claim
		forms int // in one run
	}{{serviceDown(), 1}, {brokerDown(), 1}, {reaction(), 1}, {coupling(), len(couplingForms())}} {
		size := c.claim.Size
		down := outageIn("", c.forms*size.Orders, size.Rate, longestOutage)
		if n := int((down.from - inFlight).Seconds() * size.Rate / float64(c.forms)); n < least {
			t.Errorf("%s: %d orders of each form before the outage, at least %d are needed", c.claim.Name, n, least)
		}
	}
}
