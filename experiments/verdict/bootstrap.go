package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	leastBootstrap = 20   // fewer units hold the truth too rarely: use Runs
	resamples      = 9999 // so that a correction over some fifty verdicts still finds values in the tails
)

// Bootstrap estimates the mean of one figure per order in a calm run, such as a paired difference. The intervals are those of the
// studentized bootstrap, which allows for skewed figures; the same seed gives the same ones.
//
// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 12.5. Limits: at least 20 orders that do not wait
// for each other; orders behind one queue do (see Runs).
func Bootstrap(values []float64, seed uint64) (Estimate, error) {
	return bootstrap(values, seed, resamples)
}

func bootstrap(values []float64, seed uint64, times int) (Estimate, error) {
	if len(values) < leastBootstrap {
		return Estimate{}, fmt.Errorf("%d orders are too few for a bootstrap: at least %d are needed; for runs use Runs", len(values), leastBootstrap)
	}
	if err := finite("the figure of order", values); err != nil {
		return Estimate{}, err
	}
	m, deviation := moments(values)
	errorOf := deviation / math.Sqrt(float64(len(values)))
	e := Estimate{Value: m, N: len(values), Unit: "orders", Method: fmt.Sprintf("bootstrap over %d orders", len(values))}
	ts := studentized(values, m, rand.New(rand.NewPCG(seed, uint64(len(values)))), times)
	e.bounds = func(n int, miss float64) (float64, float64) {
		if errorOf == 0 {
			return m, m
		}
		k := int(miss / 2 * float64(times+1)) // of the sorted resamples lie beyond each bound
		if k < 1 {
			return math.Inf(-1), math.Inf(1)
		}
		scale := errorOf * math.Sqrt(float64(len(values))/float64(n))
		return m - ts[len(ts)-k]*scale, m - ts[k-1]*scale
	}
	return e, nil
}

// studentized returns sorted (mean* − mean)/error* of resamples.
func studentized(values []float64, m float64, random *rand.Rand, times int) []float64 {
	ts := make([]float64, times)
	n := float64(len(values))
	for i := range ts {
		var sum, squares float64
		for range values {
			d := values[random.IntN(len(values))] - m
			sum += d
			squares += d * d
		}
		shift := sum / n
		variance := (squares - n*shift*shift) / (n - 1)
		switch {
		case variance > 0:
			ts[i] = shift / math.Sqrt(variance/n)
		case shift != 0:
			ts[i] = math.Inf(int(math.Copysign(1, shift)))
		}
	}
	slices.Sort(ts)
	return ts
}
