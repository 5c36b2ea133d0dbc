package verdict

import (
	"errors"
	"fmt"
	"math"
)

// Estimate is what was measured of an effect, a mean or a share, with its intervals. The zero value says that nothing is known.
type Estimate struct {
	Value  float64 // +Inf or −Inf where failures are the longest waits
	N      int     // how many units it stands on
	Unit   string  // what N counts: runs, orders, pairs
	Method string  // how the interval is made

	// bounds returns the interval that misses the truth with probability miss, for n units like those that were seen.
	bounds func(n int, miss float64) (low, high float64)
}

// Interval returns the bounds that hold the truth with a confidence between 0 and 1. They are infinite where too little was seen
// to bound it.
func (e Estimate) Interval(confidence float64) (low, high float64) {
	return e.interval(e.N, 1-confidence)
}

func (e Estimate) interval(n int, miss float64) (low, high float64) {
	if e.bounds == nil || !(miss > 0) {
		return math.Inf(-1), math.Inf(1)
	}
	return e.bounds(n, min(miss, 1))
}

// Exact returns an estimate without doubt: a count that is complete, a match order by order, or what is so by definition.
func Exact(value float64, n int, unit string) Estimate {
	return Estimate{Value: value, N: n, Unit: unit, Method: "counted in full", bounds: func(int, float64) (float64, float64) { return value, value }}
}

// Wider returns the first estimate with an interval that holds those of both. A t interval over runs of which each had no error
// has no width; that of all their orders together (Share) keeps it honest.
func Wider(a, b Estimate) Estimate {
	a.Method += ", no narrower than " + b.Method
	first := a
	a.bounds = func(n int, miss float64) (float64, float64) {
		of := b.N
		if first.N > 0 {
			of = int(math.Round(float64(b.N) * float64(n) / float64(first.N)))
		}
		low, high := first.interval(n, miss)
		l, h := b.interval(of, miss)
		return min(low, l), max(high, h)
	}
	return a
}

// mostUnits is beyond what anybody would run.
const mostUnits = 10_000_000

// enough returns the least number of units, more than there are, at which the interval would lie inside or outside of the region,
// if the estimate stayed as it is. It returns false when no number would do.
func (e Estimate) enough(r Region, miss float64) (n int, ok bool) {
	if e.bounds == nil || e.N < 1 {
		return 0, false
	}
	settled := func(n int) bool { return r.judge(e.interval(n, miss)) != NotShown }
	high := e.N
	for !settled(high) {
		if high *= 2; high > mostUnits {
			return 0, false
		}
	}
	low := max(high/2, e.N)
	for low+1 < high {
		if middle := (low + high) / 2; settled(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, true
}

// leastMiss returns how far the interval may widen until it no longer has a property that narrower ones keep: the p-value of the
// property, on the scale where an interval of 95 % misses 0.05.
func (e Estimate) leastMiss(has func(low, high float64) bool) float64 {
	const least = 1e-12
	if !has(e.interval(e.N, 1)) {
		return 1
	}
	if has(e.interval(e.N, least)) {
		return 0
	}
	low, high := math.Log(least), 0.0
	for range 30 { // to 8 digits
		if middle := (low + high) / 2; has(e.interval(e.N, math.Exp(middle))) {
			high = middle
		} else {
			low = middle
		}
	}
	return math.Exp(high)
}

// finite refuses values that a mean cannot take.
func finite(what string, values []float64) error {
	for i, v := range values {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Errorf("%s %d is %g: a mean of it says nothing; judge a quantile or the share that failed", what, i+1, v)
		}
	}
	return nil
}

// equalLengths refuses pairs of which one half is missing.
func equalLengths(base, other int) error {
	if base != other {
		return fmt.Errorf("%d and %d values: pairs are needed", base, other)
	}
	if base == 0 {
		return errors.New("no values: nothing can be estimated")
	}
	return nil
}
