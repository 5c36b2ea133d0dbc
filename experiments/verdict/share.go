package verdict

import (
	"errors"
	"fmt"
)

// Share estimates a probability from k of n orders. The bounds are exact: none of 20 still allows 17 %, or 14 % on one side alone.
//
// Source: Clopper and Pearson 1934. Limits: independent orders; where they wait in one queue, estimate the shares of runs (Runs),
// no narrower than this (Wider).
func Share(k, n int) (Estimate, error) {
	if n < 1 || k < 0 || k > n {
		return Estimate{}, fmt.Errorf("%d of %d orders is no share", k, n)
	}
	value := float64(k) / float64(n)
	e := Estimate{Value: value, N: n, Unit: "orders", Method: fmt.Sprintf("exact binomial bounds of %d orders", n)}
	e.bounds = func(of int, miss float64) (low, high float64) {
		hits := value * float64(of)
		if of == n {
			hits = float64(k) // without a rounding error
		}
		misses := float64(of) - hits
		high = 1
		if k > 0 {
			low = betaQuantile(hits, misses+1, miss/2)
		}
		if k < n {
			high = betaQuantile(hits+1, misses, 1-miss/2)
		}
		return low, high
	}
	return e, nil
}

// ShareDifference estimates by how much the probability of one form exceeds that of the base, from counts of different orders.
//
// Source: the exact bounds of both joined by the square-and-add method (Newcombe 1998, method 10, with other bounds). Limits: as
// Share; the tests count its coverage state by state.
func ShareDifference(baseK, baseN, otherK, otherN int) (Estimate, error) {
	b, err := Share(baseK, baseN)
	o, err2 := Share(otherK, otherN)
	if err = errors.Join(err, err2); err != nil {
		return Estimate{}, err
	}
	e := joined(b, o)
	e.Unit = "orders of each"
	e.Method = fmt.Sprintf("binomial bounds of %d and %d orders", baseN, otherN)
	return e, nil
}
