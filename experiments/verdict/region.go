package verdict

import (
	"fmt"
	"math"
)

// Region is where an effect must lie for a sentence to hold.
type Region struct {
	from, to float64
	open     bool // the edges themselves are outside
	words    string
}

// MoreThan is the region of "beyond δ". A true effect of exactly δ is outside.
func MoreThan(delta float64) Region {
	return Region{delta, math.Inf(1), true, fmt.Sprintf("more than %g", delta)}
}

// LessThan is the region of "short of δ". A true effect of exactly δ is outside.
func LessThan(delta float64) Region {
	return Region{math.Inf(-1), delta, true, fmt.Sprintf("less than %g", delta)}
}

// AtLeast is the region of "at least", the line included.
func AtLeast(line float64) Region {
	return Region{line, math.Inf(1), false, fmt.Sprintf("at least %g", line)}
}

// AtMost is the region of "at most", the line included.
func AtMost(line float64) Region {
	return Region{math.Inf(-1), line, false, fmt.Sprintf("at most %g", line)}
}

// Within is the region of no difference from a value: δ on each side, the lines included. δ is at least 0.
func Within(value, delta float64) Region {
	return Region{value - delta, value + delta, false, fmt.Sprintf("%g ± %g", value, delta)}
}

// String says the region in words.
func (r Region) String() string { return r.words }

// contains tells whether a whole interval lies inside.
func (r Region) contains(low, high float64) bool {
	if r.open {
		return (low > r.from || math.IsInf(r.from, 0)) && (high < r.to || math.IsInf(r.to, 0))
	}
	return low >= r.from && high <= r.to
}

// excludes tells whether a whole interval lies outside.
func (r Region) excludes(low, high float64) bool {
	if r.open {
		return high <= r.from && !math.IsInf(r.from, 0) || low >= r.to && !math.IsInf(r.to, 0)
	}
	return high < r.from || low > r.to
}

func (r Region) judge(low, high float64) Word {
	switch {
	case r.contains(low, high):
		return Holds
	case r.excludes(low, high):
		return DoesNotHold
	}
	return NotShown
}
