package compare

import (
	"math"
	"slices"
)

// estimate is a quantile of values with its 95 % interval.
type estimate struct {
	n                int
	point, low, high float64
	bounded          bool // low and high are known
}

// quantileOf estimates a quantile by order statistics: the quantile lies beyond each bound with a probability of at most 2.5 %.
func quantileOf(values []float64, quantile float64) estimate {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	e := estimate{n: len(sorted)}
	switch {
	case e.n == 0:
		return e
	case quantile == 0.5:
		e.point = median(sorted)
	default:
		e.point = sorted[max(0, int(math.Ceil(quantile*float64(e.n)))-1)]
	}
	low, high := rank(e.n, quantile), e.n-1-rank(e.n, 1-quantile)
	if low < 0 || high >= e.n {
		return e
	}
	e.low, e.high, e.bounded = sorted[low], sorted[high], true
	return e
}

// rank returns the greatest k with P(at most k of n values lie under the quantile) ≤ 2.5 %, or −1: a binomial distribution, in
// logarithms because its terms underflow.
func rank(n int, quantile float64) int {
	odds := math.Log(quantile) - math.Log1p(-quantile)
	logP := float64(n) * math.Log1p(-quantile)
	sum := math.Exp(logP)
	k := 0
	for sum <= 0.025 && k < n {
		logP += math.Log(float64(n-k)) - math.Log(float64(k+1)) + odds
		k++
		sum += math.Exp(logP)
	}
	return k - 1
}

// leastFor returns how many values an interval of a quantile needs.
func leastFor(quantile float64) int {
	n := minInterval
	for rank(n, quantile) < 0 || rank(n, 1-quantile) < 0 {
		n++
	}
	return n
}

// unpairedQuantile is Unpaired of any quantile.
func unpairedQuantile(base, other []float64, quantile float64) Difference {
	return unpairedBy(base, other, quantile, func(v float64) float64 { return v }, func(v float64) float64 { return v })
}

// unpairedShare compares a quantile of independent values as a share of the base: on logarithms, where a ratio is a
// difference. There is no interval where a bound is not positive.
func unpairedShare(base, other []float64, quantile float64) Difference {
	return unpairedBy(base, other, quantile, math.Log, func(v float64) float64 { return math.Exp(v) - 1 })
}

// unpairedBy compares a quantile after a transformation, and transforms the difference back. The interval joins those of both
// sides by the square-and-add method: see Unpaired.
func unpairedBy(base, other []float64, quantile float64, to, back func(float64) float64) Difference {
	b, o := quantileOf(base, quantile), quantileOf(other, quantile)
	d := Difference{N: min(b.n, o.n)}
	delta := to(o.point) - to(b.point)
	if d.N > 0 && finite(delta) {
		d.Delta = new(back(delta))
	}
	if b.bounded && o.bounded {
		low := delta - math.Hypot(to(o.point)-to(o.low), to(b.high)-to(b.point))
		high := delta + math.Hypot(to(o.high)-to(o.point), to(b.point)-to(b.low))
		if finite(low) && finite(high) && d.Delta != nil {
			d.Low, d.High = new(back(low)), new(back(high))
		}
	}
	d.Verdict = verdict(d.Low, d.High)
	return d
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// interpolated returns the 95 % interval of the median between the order statistics that hold it with a little more and a
// little less confidence (Hettmansperger and Sheather, Statistics & Probability Letters 4, 1986): of 100 values the outer two
// alone would hold it with 96.5 %, which costs a twentieth of the width.
func interpolated(sorted []float64) (low, high float64, ok bool) {
	n := len(sorted)
	if n < minInterval {
		return 0, 0, false
	}
	k := rank(n, 0.5)
	outer, inner := 1-2*binomial(n, k), 1-2*binomial(n, k+1)
	share := (outer - 0.95) / (outer - inner)
	d := float64(k + 1)
	weight := (float64(n) - d) * share / (d + (float64(n)-2*d)*share)
	between := func(a, b float64) float64 {
		if math.IsInf(a, 0) {
			return a
		}
		return a + weight*(b-a)
	}
	return between(sorted[k], sorted[k+1]), between(sorted[n-1-k], sorted[n-2-k]), true
}

// binomial returns the probability that at most k of n values lie under their median.
func binomial(n, k int) float64 {
	logP := -float64(n) * math.Ln2
	sum := 0.0
	for i := range k + 1 {
		sum += math.Exp(logP)
		logP += math.Log(float64(n-i)) - math.Log(float64(i+1))
	}
	return sum
}

// shareOf returns how much more a value is than its base, as a share of it.
func shareOf(base, other float64) float64 {
	switch {
	case base > 0:
		return other/base - 1
	case other > base:
		return math.Inf(1)
	case other < base:
		return math.Inf(-1)
	}
	return 0
}

// pairedShare compares values that belong together: the median of other[i]/base[i] − 1, with its order-statistic interval.
// The median of the differences over the median of the base would be biased where greater values vary more. A base that is
// not positive has no ratio: such a pair counts as equal, or as much more or much less.
func pairedShare(base, other []float64) Difference {
	n := min(len(base), len(other))
	shares := make([]float64, n)
	for i := range shares {
		shares[i] = shareOf(base[i], other[i])
	}
	slices.Sort(shares)
	d := Difference{Paired: true, N: n}
	if n > 0 {
		d.Delta = new(median(shares))
	}
	if low, high, ok := interpolated(shares); ok {
		d.Low, d.High = &low, &high
	}
	d.Verdict = verdict(d.Low, d.High)
	for _, v := range []**float64{&d.Delta, &d.Low, &d.High} { // JSON has no infinity, and a limit none either
		if *v != nil && !finite(**v) {
			return Difference{Paired: true, N: n, Verdict: VerdictNone}
		}
	}
	return d
}
