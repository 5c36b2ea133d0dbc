package lab_test

import (
	"math"
	"testing"

	"tracelab/lab"
	"tracelab/services/flows"
)

// TestTheDerivedHotelRuns: a flow that was derived from a tree as DeathStarBench's hotel reservation has it runs in all its forms, and as it was
// traced the client waits as long as the tree took: 28.6 ms with its hops, of which a virtual network has none.
func TestTheDerivedHotelRuns(t *testing.T) {
	t.Parallel() // in virtual time
	flow, err := flows.Load("../derive/testdata/hotel.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const took, hops = 28.6, 1.6 // ms
	virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders = flow, flow.Forms(), 20 }, func(t *testing.T, result *lab.Result) {
		for _, form := range flow.Forms() {
			if r := result.Forms[form]; r.Orders.Completed != 20 || r.Journeys != 20 || len(result.Problems) > 0 {
				t.Errorf("%s: %+v, %d journeys, problems %q", form, r.Orders, r.Journeys, result.Problems)
			}
		}
		if wait := *result.Forms["traced"].CallerWait.Median; math.Abs(wait-(took-hops)) > 0.05*took {
			t.Errorf("the client waits %.1f ms, want about %.1f", wait, took-hops)
		}
	})
}
