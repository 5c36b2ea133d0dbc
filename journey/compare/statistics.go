package compare

import (
	"math"
	"slices"
)

// How many values a claim needs.
const (
	minInterval = 6   // under six values no pair of them bounds the median with 95 % confidence: 1 − 2/2⁵ is less
	minP95      = 20  // under twenty the 95th percentile would be the greatest value
	minP99      = 100 // likewise
)

// Summary describes the values of a measure. A field is nil when there are too few values for it.
type Summary struct {
	N      int      `json:"n"`
	Median *float64 `json:"median"` // the mean of the middle two of an even number of values; nil without values
	Low    *float64 `json:"low"`    // Low and High bound the 95 % confidence interval of the median; nil under 6 values
	High   *float64 `json:"high"`
	P95    *float64 `json:"p95"` // nil under 20 values that stand for some
	P99    *float64 `json:"p99"` // nil under 100 of them
}

// Summarize describes values, which it does not change. The interval is that of the order statistics: it holds for any
// distribution, and its bounds are values that occurred. Percentiles are by nearest rank: the least value that at least
// that share of the values does not exceed. O(n log n).
func Summarize(values []float64) Summary {
	var room [32]float64 // most nodes have few values: they are sorted on the stack
	sorted := append(room[:0], values...)
	slices.Sort(sorted)
	s := Summary{N: len(sorted)}
	if len(sorted) == 0 {
		return s
	}
	s.Median = new(median(sorted))
	if low, high, ok := medianInterval(sorted); ok {
		s.Low, s.High = &low, &high
	}
	if len(sorted) >= minP95 {
		s.P95 = new(nearestRank(sorted, 95))
	}
	if len(sorted) >= minP99 {
		s.P99 = new(nearestRank(sorted, 99))
	}
	return s
}

func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1] + (sorted[n/2]-sorted[n/2-1])/2
}

func nearestRank(sorted []float64, percent int) float64 {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// medianInterval returns the narrowest symmetric pair of order statistics that holds the median with at least 95 %
// confidence (the sign test turned round), and false when there is none.
func medianInterval(sorted []float64) (low, high float64, ok bool) {
	n := len(sorted)
	if n < minInterval {
		return 0, 0, false
	}
	k := medianRank(n)
	return sorted[k], sorted[n-1-k], true
}

// medianRank returns the greatest k with P(at most k of n values lie under the median) ≤ 2.5 %: a binomial distribution
// with p = ½, in logarithms because 2⁻ⁿ underflows.
func medianRank(n int) int {
	logP := -float64(n) * math.Ln2
	sum := math.Exp(logP)
	k := 0
	for sum <= 0.025 {
		logP += math.Log(float64(n-k)) - math.Log(float64(k+1))
		k++
		sum += math.Exp(logP)
	}
	return k - 1
}

// Verdict says how a difference came out.
type Verdict string

// The verdicts. VerdictNone is given when the interval includes 0, or when there are too few values for one.
const (
	VerdictLess Verdict = "less"
	VerdictMore Verdict = "more"
	VerdictNone Verdict = "~"
	VerdictSame Verdict = "same" // within an Amount that was given
)

// Difference is how much a measure of one group differs from that of a base: other − base.
type Difference struct {
	Root    string   `json:"root,omitempty"` // as Root.String; where journeys of several roots are told apart
	Base    string   `json:"base"`
	Other   string   `json:"other"`
	Measure string   `json:"measure"`
	Paired  bool     `json:"paired"`
	N       int      `json:"n"`     // pairs; unpaired, the size of the smaller group
	Delta   *float64 `json:"delta"` // paired, the median of the differences; unpaired, the difference of the medians
	Low     *float64 `json:"low"`   // Low and High bound its 95 % confidence interval
	High    *float64 `json:"high"`
	Verdict Verdict  `json:"verdict"`

	SameWithin string `json:"same_within,omitempty"` // the Amount that was given
	Doubtful   bool   `json:"doubtful,omitempty"`    // one of the groups has a Doubt
	Reason     string `json:"reason,omitempty"`      // why there is no interval, other than too few values
}

// Paired compares values that belong together by their positions: it returns the median of other[i] − base[i], with the
// order-statistic interval of these differences. The shorter list decides how many pairs there are.
func Paired(base, other []float64) Difference {
	n := min(len(base), len(other))
	deltas := make([]float64, n)
	for i := range deltas {
		deltas[i] = other[i] - base[i]
	}
	s := Summarize(deltas)
	return Difference{Paired: true, N: n, Delta: s.Median, Low: s.Low, High: s.High, Verdict: verdict(s.Low, s.High)}
}

// Unpaired compares the medians of independent values. The interval joins those of the two medians by the square-and-add
// method (MOVER: Zou and Donner, Statistics in Medicine 27, 2008), so it needs no random numbers.
func Unpaired(base, other []float64) Difference {
	b, o := Summarize(base), Summarize(other)
	d := Difference{N: min(b.N, o.N)}
	if d.N > 0 {
		d.Delta = new(*o.Median - *b.Median)
	}
	if b.Low != nil && o.Low != nil {
		d.Low = new(*d.Delta - math.Hypot(*o.Median-*o.Low, *b.High-*b.Median))
		d.High = new(*d.Delta + math.Hypot(*o.High-*o.Median, *b.Median-*b.Low))
	}
	d.Verdict = verdict(d.Low, d.High)
	return d
}

// Enough returns how many pairs, or journeys of each group, would give a verdict, if the difference is as great as it now
// looks. An interval shrinks with the square root of the number of values, so that is n·(reach/delta)², where reach is the
// distance from the delta to the bound on the other side of 0; at least 6, and at least one more than there are. Enough
// returns false when there is a verdict, and when the delta is 0 or unknown: then no number is enough.
func (d Difference) Enough() (n int, ok bool) {
	if d.Verdict != VerdictNone || d.Delta == nil || *d.Delta == 0 || d.Reason != "" {
		return 0, false
	}
	if d.Low == nil || d.High == nil {
		return max(minInterval, d.N+1), true
	}
	reach := *d.Delta - *d.Low
	if *d.Delta < 0 {
		reach = *d.High - *d.Delta
	}
	ratio := reach / *d.Delta
	enough := math.Ceil(float64(d.N) * ratio * ratio)
	if math.IsNaN(enough) || enough > math.MaxInt32 {
		return 0, false
	}
	return max(d.N+1, int(enough)), true
}

func verdict(low, high *float64) Verdict {
	switch {
	case low == nil || high == nil:
		return VerdictNone
	case *high < 0:
		return VerdictLess
	case *low > 0:
		return VerdictMore
	}
	return VerdictNone
}
