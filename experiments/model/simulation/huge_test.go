package simulation

import (
	"math"
	"testing"
	"time"
)

// TestHugeNumbers: what is too large to be simulated is refused, or late beyond any order; nothing panics, and no time wraps around.
func TestHugeNumbers(t *testing.T) {
	for _, n := range []int{-1, math.MinInt, math.MaxInt} {
		for _, rate := range []float64{0, 1, math.Inf(1), math.NaN()} {
			if a, b, c, d, e := Evenly(rate, n), Poisson(1, rate, n), Exponential(1, time.Second, n), LogNormal(1, time.Second, rate, n), Hits(1, rate, n); a != nil || b != nil || c != nil || d != nil || e != nil {
				t.Errorf("%d orders at %v: %d, %d, %d, %d, %d, want none", n, rate, len(a), len(b), len(c), len(d), len(e))
			}
		}
	}
	for _, rate := range []float64{1e300, math.Inf(1), math.NaN(), -1} {
		if at := Surge(rate, 2, time.Second, time.Second, time.Second); len(at) > 0 {
			t.Errorf("a surge at %v has %d orders", rate, len(at))
		}
	}
	if at := Evenly(1e-300, 2); at[1] != Forever {
		t.Errorf("the second of an order in 1e300 s comes at %v", at[1])
	}
	if hits := Hits(1, math.NaN(), 40); len(hits) != 40 {
		t.Errorf("%d of 40", len(hits))
	}
	one := []time.Duration{time.Second}
	orders, err := Queue{Arrivals: one, Costs: one, Workers: math.MaxInt, Places: Unbounded, Partitions: math.MaxInt, Deadline: Forever, Fault: Slow(0, Forever, Forever, nil)}.Run()
	if err != nil || orders[0].Outcome != Done {
		t.Errorf("a deadline that never comes: %+v, %v", orders, err)
	}
	stormed, err := Storm{Arrivals: one, Costs: []time.Duration{Forever}, Workers: 1, Deadline: time.Second, Retries: 70, Backoff: time.Hour, Cancel: true}.Run()
	if err != nil || stormed.Attempts[0] > 71 || stormed.Orders[0].Ended < 100*365*24*time.Hour {
		t.Errorf("70 retries, each after twice the time: %+v, %v", stormed, err)
	}
	r := Reconnect{First: 1, Times: 1, Most: 1}
	if _, err := r.Late(Forever, 1, 1); err == nil {
		t.Error("an outage of 292 years with an attempt each nanosecond was drawn")
	}
	(&Ticket{}).Leave()
}
