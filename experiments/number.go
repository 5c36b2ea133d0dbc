package experiments

import (
	"math"
	"slices"
	"strconv"
	"time"
)

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// middle is the median of values; NaN without any.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return sorted[n/2]
	}
	return sorted[n/2-1]/2 + sorted[n/2]/2
}

// short writes a number with three digits that mean something.
func short(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "failed"
	case math.IsInf(v, -1):
		return "-failed"
	case math.IsNaN(v):
		return "-"
	case math.Abs(v) >= 100, v == math.Trunc(v): // a count has no digits behind its point
		return strconv.FormatFloat(v+0, 'f', 0, 64)
	case math.Abs(v) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) // + 0: there is no -0
}

func nan() float64 { return math.NaN() }
