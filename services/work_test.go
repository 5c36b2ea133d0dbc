package services

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// steps in the order of the table.
func allSteps() []Step { return flows.Order().Steps() }

// TestCostDependsOnSeedNumberAndStepAlone.
func TestCostDependsOnSeedNumberAndStepAlone(t *testing.T) {
	type key struct {
		wait   time.Duration
		rounds int
	}
	seen := map[key]string{}
	for seed := range uint64(3) {
		for number := range 20 {
			for _, step := range allSteps() {
				var first key
				for i, e := range []Experiment{
					{Seed: seed, Number: number, Form: REST, Run: "a"},
					{Seed: seed, Number: number, Form: Kafka, Run: "b", Relation: 1, Faults: []faults.Fault{{Service: Payment, Kind: "delay"}}},
				} {
					var k key
					k.wait, k.rounds = costOf(e, step)
					if i == 0 {
						first = k
					} else if k != first {
						t.Errorf("%s of order %d, seed %d: %v in one experiment, %v in another", step, number, seed, first, k)
					}
				}
				name := fmt.Sprint(seed, number, step)
				if other, ok := seen[first]; ok {
					t.Errorf("%s costs exactly the same as %s: the draws are not independent", name, other)
				}
				seen[first] = name
			}
		}
	}
}

func TestCostsLieAroundTheirMedians(t *testing.T) {
	const n = 4000
	for _, step := range allSteps() {
		var waits, rounds []float64
		for number := range n {
			wait, r := costOf(Experiment{Seed: 7, Number: number}, step)
			waits, rounds = append(waits, float64(wait)), append(rounds, float64(r))
		}
		slices.Sort(waits)
		slices.Sort(rounds)
		row, _ := flows.Order().Row(step)
		want, spread := row.Cost, row.Cost.Spread
		if median := waits[n/2]; math.Abs(median/float64(want.Wait)-1) > 0.03 {
			t.Errorf("%s: median wait %v, want %v within 3%%", step, time.Duration(median), want.Wait)
		}
		if median := rounds[n/2]; math.Abs(median-float64(want.CPU)) > 3 {
			t.Errorf("%s: median of %v rounds, want %d within 3", step, median, want.CPU)
		}
		// Nine in ten lie between 0.7 and 1.5 medians, as the comment at spread says.
		low, high := waits[n*5/100]/float64(want.Wait), waits[n*95/100]/float64(want.Wait)
		if math.Abs(low-math.Exp(-1.645*spread)) > 0.05 || math.Abs(high-math.Exp(1.645*spread)) > 0.1 || waits[0] <= 0 {
			t.Errorf("%s: 5%% at %.2f and 95%% at %.2f medians, least %v", step, low, high, waits[0])
		}
	}
}

func TestWorkWaitsForItsCost(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		e := Experiment{Seed: 3, Number: 4}
		charge, _ := flows.Order().Row(Charge)
		want, _ := costOf(e, Charge)
		begin := time.Now()
		if err := e.work(t.Context(), charge); err != nil || time.Since(begin) != want {
			t.Errorf("work took %v, %v, want %v", time.Since(begin), err, want)
		}
	})
}

// TestFaultsHitAShareOfTheOrders: the same orders in every form, another share for another service or seed.
func TestFaultsHitAShareOfTheOrders(t *testing.T) {
	const n = 4000
	hits := func(e Experiment, f faults.Fault) []bool {
		hit := make([]bool, n)
		for e.Number = range n {
			hit[e.Number] = e.Hits(f)
		}
		return hit
	}
	half := faults.Fault{Service: Payment, Kind: "error", Value: "x", Share: 0.5}
	base := hits(Experiment{Seed: 1, Form: REST}, half)
	for what, c := range map[string]struct {
		e    Experiment
		f    faults.Fault
		same float64 // share of orders with the same fate
	}{
		"another form":    {Experiment{Seed: 1, Form: Kafka, Run: "x"}, half, 1},
		"another value":   {Experiment{Seed: 1}, faults.Fault{Service: Payment, Kind: "error", Value: "y", Share: 0.5}, 1},
		"another seed":    {Experiment{Seed: 2}, half, 0.5},
		"another service": {Experiment{Seed: 1}, faults.Fault{Service: Shipping, Kind: "error", Share: 0.5}, 0.5},
		"another kind":    {Experiment{Seed: 1}, faults.Fault{Service: Payment, Kind: "hang", Share: 0.5}, 0.5},
		"always":          {Experiment{Seed: 1}, faults.Fault{Service: Payment, Kind: "error", Share: 1}, 0.5},
	} {
		same := 0
		for i, hit := range hits(c.e, c.f) {
			if hit == base[i] {
				same++
			}
		}
		if share := float64(same) / n; math.Abs(share-c.same) > 0.03 {
			t.Errorf("%s: %.2f of the orders fare the same, want %.2f", what, share, c.same)
		}
	}
}

// TestShareHitsExactlyItsPart of every ten orders, and of all.
func TestShareHitsExactlyItsPart(t *testing.T) {
	for _, c := range []struct {
		share  float64
		orders int
		want   int
	}{{0.75, 40, 30}, {0.3, 30, 9}, {0.5, 10, 5}, {0.05, 20, 1}, {0.7, 40, 28}, {0.1, 1000, 100}, {0.001, 1000, 1}, {0.999, 1000, 999}, {1, 25, 25}} {
		for seed := range uint64(50) {
			f := faults.Fault{Service: Orders, Kind: "delay", Share: c.share}
			e, hits := Experiment{Seed: seed}, 0
			for e.Number = range c.orders {
				if e.Hits(f) {
					hits++
				}
				if e.Number%10 == 9 && math.Abs(float64(hits)-c.share*float64(e.Number+1)) >= 1 {
					t.Errorf("seed %d: %v hits %d of the first %d orders", seed, c.share, hits, e.Number+1)
				}
			}
			if hits != c.want {
				t.Errorf("seed %d: %v hits %d of %d orders, want %d", seed, c.share, hits, c.orders, c.want)
			}
		}
	}
}

// TestShareOfAnyNumber: numbers that no run has are drawn all the same.
func TestShareOfAnyNumber(t *testing.T) {
	for _, from := range []int{math.MaxInt - 9999, 10_000_000_000 - 5000, 1 << 40} {
		hits := 0
		for i := range 10000 {
			e := Experiment{Seed: 1, Number: from + i}
			if e.Hits(faults.Fault{Service: Orders, Kind: "delay", Share: 0.25}) {
				hits++
			}
		}
		if hits < 2490 || hits > 2510 {
			t.Errorf("from %d: %d of 10000 hit, want 2500", from, hits)
		}
	}
}

// TestFaultActsInItsTime, and on its attempt.
func TestFaultActsInItsTime(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		e := Experiment{Start: time.Now()}
		timed := faults.Fault{Service: Orders, Kind: "delay", Share: 1, From: 2 * time.Second, To: 4 * time.Second}
		first := faults.Fault{Service: Orders, Kind: "delay", Share: 1, Attempt: 1}
		for second := range 6 {
			if got, want := e.acts(t.Context(), timed), second == 2 || second == 3; got != want {
				t.Errorf("at %d s it acts: %v, want %v", second, got, want)
			}
			time.Sleep(time.Second)
		}
		if (Experiment{}).acts(t.Context(), timed) {
			t.Error("it acts in a run of which nobody knows when it began")
		}
		for attempt := 1; attempt < 4; attempt++ {
			if got := e.acts(carrier.WithAttempt(t.Context(), attempt), first); got != (attempt == 1) {
				t.Errorf("attempt %d: it acts: %v", attempt, got)
			}
		}
	})
}
