package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tracelab/experiments/model/simulation"
)

// coverage counts how often the interval of 95 % holds the truth.
func coverage(t *testing.T, samples int, truth float64, sample func(r *rand.Rand) (Estimate, error)) float64 {
	t.Helper()
	r := rand.New(rand.NewPCG(17, 4))
	hit := 0
	for range samples {
		e, err := sample(r)
		if err != nil {
			t.Fatal(err)
		}
		if low, high := e.Interval(0.95); low <= truth && truth <= high {
			hit++
		}
	}
	return float64(hit) / float64(samples)
}

func fill(n int, draw func() float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = draw()
	}
	return values
}

func TestIntervalsHoldTheTruth(t *testing.T) {
	t.Parallel()
	const samples = 600
	// A wait of which 2 % failed: its quantiles stay those of the others.
	waits := func(r *rand.Rand) func() float64 {
		return func() float64 {
			if r.Float64() < 0.02 {
				return math.Inf(1)
			}
			return r.ExpFloat64()
		}
	}
	quantile := func(q float64) float64 { return -math.Log1p(-q / 0.98) }
	for _, c := range []struct {
		name      string
		truth     float64
		sample    func(r *rand.Rand) (Estimate, error)
		low, high float64
	}{
		{"5 runs", 3, func(r *rand.Rand) (Estimate, error) {
			return Runs(fill(5, func() float64 { return 3 + r.NormFloat64() }))
		}, 0.935, 0.965},
		{"5 paired runs that share their weather", 1, func(r *rand.Rand) (Estimate, error) {
			base := fill(5, func() float64 { return 10 * r.NormFloat64() })
			other := make([]float64, 5)
			for i := range other {
				other[i] = base[i] + 1 + r.NormFloat64()
			}
			return PairedRuns(base, other)
		}, 0.935, 0.965},
		{"5 runs and 9 of another spread", -2, func(r *rand.Rand) (Estimate, error) {
			return UnpairedRuns(fill(5, func() float64 { return 2 + r.NormFloat64() }), fill(9, func() float64 { return 4 * r.NormFloat64() }))
		}, 0.935, 0.97},
		{"a bootstrap of 25 skewed orders", 1, func(r *rand.Rand) (Estimate, error) { return bootstrap(fill(25, r.ExpFloat64), r.Uint64(), 399) }, 0.925, 0.97},
		{"the median of 25 waits", quantile(0.5), func(r *rand.Rand) (Estimate, error) { return Quantile(fill(25, waits(r)), 0.5) }, 0.945, 0.98},
		{"p95 of 200 waits", quantile(0.95), func(r *rand.Rand) (Estimate, error) { return Quantile(fill(200, waits(r)), 0.95) }, 0.945, 0.98},
		{"the median of 30 paired differences", 0.5, func(r *rand.Rand) (Estimate, error) {
			base, other := fill(30, waits(r)), fill(30, waits(r))
			for i := range other {
				other[i] += 0.5
			}
			return PairedMedian(base, other)
		}, 0.945, 0.99},
		{"the medians of 40 and 60 waits", 0, func(r *rand.Rand) (Estimate, error) {
			return UnpairedQuantile(fill(40, waits(r)), fill(60, waits(r)), 0.5)
		}, 0.94, 0.985},
	} {
		if got := coverage(t, samples, c.truth, c.sample); got < c.low || got > c.high {
			t.Errorf("%s: %.3f of the intervals hold the truth, want %g to %g", c.name, got, c.low, c.high)
		}
	}
	if got := coverage(t, samples, 3, func(r *rand.Rand) (Estimate, error) {
		return bootstrappedRuns(fill(5, func() float64 { return 3 + r.NormFloat64() }), r), nil
	}); got < 0.78 || got > 0.88 {
		t.Errorf("5 runs bootstrapped: %.3f hold the truth, want about 0.83: the reason for Runs", got)
	}
}

// bootstrappedRuns is what Runs is not: the percentile bootstrap of a few values.
func bootstrappedRuns(values []float64, r *rand.Rand) Estimate {
	means := fill(200, func() float64 {
		var sum float64
		for range values {
			sum += values[r.IntN(len(values))]
		}
		return sum / float64(len(values))
	})
	slices.Sort(means)
	return Estimate{N: len(values), bounds: func(int, float64) (float64, float64) { return means[5], means[194] }}
}

// The exact bounds hold each truth at least as often as they say: counted over all outcomes.
func TestSharesHoldEachTruth(t *testing.T) {
	t.Parallel()
	const n, m = 20, 30
	probabilities := []float64{0.001, 0.02, 0.05, 0.1, 0.3, 0.5, 0.8, 0.97}
	pmf := func(n int, p float64) []float64 {
		terms := make([]float64, n+1)
		for k := range terms {
			terms[k] = binomialAtMost(k, n, p) - binomialAtMost(k-1, n, p)
		}
		return terms
	}
	for _, p := range probabilities {
		held := 0.0
		for k, weight := range pmf(n, p) {
			e, err := Share(k, n)
			if err != nil {
				t.Fatal(err)
			}
			if low, high := e.Interval(0.95); low <= p && p <= high {
				held += weight
			}
		}
		if held < 0.95 {
			t.Errorf("p = %g: %.3f of the intervals hold it", p, held)
		}
	}
	type bounds struct{ low, high float64 }
	var differences [n + 1][m + 1]bounds
	for k := range differences {
		for j := range differences[k] {
			e, err := ShareDifference(k, n, j, m)
			if err != nil {
				t.Fatal(err)
			}
			differences[k][j].low, differences[k][j].high = e.Interval(0.95)
		}
	}
	least := 1.0
	for _, p := range probabilities {
		for _, q := range probabilities {
			held, others := 0.0, pmf(m, q)
			for k, weight := range pmf(n, p) {
				for j, d := range differences[k] {
					if d.low <= q-p && q-p <= d.high {
						held += weight * others[j]
					}
				}
			}
			least = min(least, held)
			if held < 0.95 {
				t.Errorf("p = %g, q = %g: %.3f of the intervals hold the difference", p, q, held)
			}
		}
	}
	t.Logf("the difference is held with at least %.3f", least)
}

// Orders behind one queue are not independent: their interval holds the truth far too rarely, that of runs as often as it says.
func TestUnderAQueueTheRunIsTheUnit(t *testing.T) {
	t.Parallel()
	const samples, runs, n, added = 80, 5, 300, 20.0
	wait := func(seed uint64) []float64 {
		orders, err := simulation.Queue{
			Arrivals: simulation.Poisson(seed, 90, n), Costs: simulation.Exponential(seed, 10*time.Millisecond, n), Workers: 1, Places: simulation.Unbounded,
		}.Run()
		if err != nil {
			t.Fatal(err)
		}
		waits := make([]float64, n)
		for i, o := range orders {
			waits[i] = o.Wait()
		}
		return waits
	}
	seed := uint64(0)
	byOrder, byRun := 0, 0
	for range samples {
		var base, other []float64
		for run := range runs {
			a, b := wait(seed), wait(seed+1)
			seed += 2
			differences := make([]float64, n)
			for i := range b {
				b[i] += added
				differences[i] = b[i] - a[i]
			}
			meanA, _ := moments(a)
			meanB, _ := moments(b)
			base, other = append(base, meanA), append(other, meanB)
			if run == 0 && holds(t, mustMean(bootstrap(differences, seed, 199)), added) {
				byOrder++
			}
		}
		if holds(t, mustMean(PairedRuns(base, other)), added) {
			byRun++
		}
	}
	orders, runsHold := float64(byOrder)/samples, float64(byRun)/samples
	t.Logf("at 0.9 utilization %.2f of the intervals over orders hold the truth, %.2f of those over runs", orders, runsHold)
	if orders > 0.35 {
		t.Errorf("orders as units hold the truth in %.2f of the cases: where is the queue?", orders)
	}
	if runsHold < 0.9 {
		t.Errorf("runs as units hold the truth in %.2f of the cases, want 0.95", runsHold)
	}
}

type estimated struct {
	Estimate
	error
}

func mustMean(e Estimate, err error) estimated { return estimated{e, err} }

func holds(t *testing.T, e estimated, truth float64) bool {
	t.Helper()
	if e.error != nil {
		t.Fatal(e.error)
	}
	low, high := e.Interval(0.95)
	return low <= truth && truth <= high
}
