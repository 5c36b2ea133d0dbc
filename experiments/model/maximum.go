package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// MeanMax returns the mean over orders of their greatest cost: what parallel steps add to a path on average. Each row holds
// the drawn costs of one order.
//
// Source: the definition. Limits: each step has a processor of its own; on fewer cores the CPU parts of the costs queue.
func MeanMax(orders [][]time.Duration) (time.Duration, error) {
	if len(orders) == 0 {
		return 0, errors.New("no orders: the greatest of no costs is not known")
	}
	var sum float64
	for i, costs := range orders {
		if len(costs) == 0 {
			return 0, fmt.Errorf("order %d has no costs: the greatest of none is not known", i+1)
		}
		sum += float64(slices.Max(costs))
	}
	return time.Duration(math.Round(sum / float64(len(orders)))), nil
}

// ExpectedMax returns the expected greatest of n independent draws from a sample of costs.
//
// Source: order statistics (David and Nagaraja, Order Statistics, 2003, section 3.1), with the sample's own distribution:
// Σ x₍ᵢ₎·((i/m)ⁿ − ((i−1)/m)ⁿ). Limits: n from 1 to 1000, and a sample of at least 10 n, since a small sample underestimates the
// greatest of n draws.
func ExpectedMax(sample []time.Duration, n int) (time.Duration, error) {
	if err := between("the number of draws", n, 1, 1000); err != nil {
		return 0, err
	}
	if len(sample) < 10*n {
		return 0, fmt.Errorf("%d costs are too few for the greatest of %d: at least %d are needed", len(sample), n, 10*n)
	}
	sorted := slices.Clone(sample)
	slices.Sort(sorted)
	m := float64(len(sorted))
	var sum, before float64
	for i, x := range sorted {
		upTo := math.Pow(float64(i+1)/m, float64(n))
		sum += float64(x) * (upTo - before)
		before = upTo
	}
	return time.Duration(math.Round(sum)), nil
}

// LogNormalMax returns the expected greatest of n independent log-normal costs with a median and a spread (the standard
// deviation of the logarithm), as flows draw theirs. With n = 1 it is the mean, median·exp(spread²/2).
//
// Source: ∫ z·n·φ(z)·Φ(z)ⁿ⁻¹ over the normal distribution (David and Nagaraja 2003, section 3.1), by the trapezoid rule. Limits:
// n from 1 to 1000, spread from 0 to 2.
func LogNormalMax(median time.Duration, spread float64, n int) (time.Duration, error) {
	if err := errors.Join(between("the number of draws", n, 1, 1000), positive("the median in seconds", median.Seconds())); err != nil {
		return 0, err
	}
	if !(spread >= 0 && spread <= 2) {
		return 0, fmt.Errorf("the spread is %g: it must be between 0 and 2", spread)
	}
	const steps, far = 4000, 10.0
	var sum float64
	for i := range steps + 1 {
		z := -far + 2*far*float64(i)/steps
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		below := math.Erfc(-z/math.Sqrt2) / 2
		sum += math.Exp(spread*z) * float64(n) * density * math.Pow(below, float64(n-1))
	}
	return span(median.Seconds() * sum * 2 * far / steps)
}
