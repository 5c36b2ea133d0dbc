package lab_test

import (
	"testing"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

const patientShop = `flow: shop
steps:
  till.Take: {wait: 1ms}
  card.Charge: {after: till.Take, message: shop.taken, wait: 2ms, retry: 3 within 2s, backoff 5ms}
  parcel.Pack: {after: card.Charge, message: shop.paid, wait: 2ms}
forms:
  calls: {each: grpc}
  messages: {each: kafka, till.Take: grpc}
`

// TestOrdersThatAreTriedAgainAreWhole: of a step that fails for good there are as many spans as of the steps that would have come after it. Such an order
// is judged by its state, whichever of its last span and its state came first.
func TestOrdersThatAreTriedAgainAreWhole(t *testing.T) {
	testkit.Unraced(t, "TestAccountsBalanceWithEachFault")
	t.Parallel() // in virtual time
	f, err := flows.Parse("shop.yaml", []byte(patientShop))
	if err != nil {
		t.Fatal(err)
	}
	fault, err := services.ParseFault(f, "card:error=gone@0.5")
	if err != nil {
		t.Fatal(err)
	}
	virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders, c.Faults = f, f.Forms(), 20, append(c.Faults, fault) }, func(t *testing.T, result *lab.Result) {
		if len(result.Problems) > 0 {
			t.Errorf("problems %q", result.Problems)
		}
		for _, form := range f.Forms() {
			if r := result.Forms[form]; r.Journeys != 20 || r.Orders.Failed != 10 || r.Orders.Completed != 10 {
				t.Errorf("%s: %d journeys, %+v; want 20, 10 failed and 10 completed", form, r.Journeys, r.Orders)
			}
		}
	})
}

const carefulShop = `flow: shop
steps:
  till.Take: {wait: 1ms}
  card.Charge: {after: till.Take, message: shop.taken, wait: 2ms, breaker: 50% of 4, 10m}
forms:
  calls: {each: grpc}
`

// TestWhatABreakerRefusesIsExplained: by the fault that opened it, and by nothing in a run without one.
func TestWhatABreakerRefusesIsExplained(t *testing.T) {
	t.Parallel() // in virtual time
	f, err := flows.Parse("shop.yaml", []byte(carefulShop))
	if err != nil {
		t.Fatal(err)
	}
	fault, err := services.ParseFault(f, "card:error=gone@0.5")
	if err != nil {
		t.Fatal(err)
	}
	virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders, c.Faults = f, f.Forms(), 20, append(c.Faults, fault) }, func(t *testing.T, result *lab.Result) {
		if r := result.Forms["calls"]; len(result.Problems) > 0 || r.Orders.Failed <= 10 {
			t.Errorf("%+v, problems %q; want more failed than the 10 that the fault hit, and no problem", r.Orders, result.Problems)
		}
	})
}
