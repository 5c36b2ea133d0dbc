package verdict

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Quantile estimates a quantile of waits, of which failed and unanswered orders are +Inf. The interval is that of the order
// statistics, which holds for any distribution.
//
// Source: David and Nagaraja, Order Statistics, 2003, section 7.1. Limits: independent orders; a quantile between 0 and 1
// exclusively. Too few values leave a bound infinite: the median needs 6, the 99th percentile 368 at 95 %.
func Quantile(waits []float64, quantile float64) (Estimate, error) {
	if err := checkQuantile(waits, quantile); err != nil {
		return Estimate{}, err
	}
	return quantileOf(waits, waits, quantile, fmt.Sprintf("order statistics of %d orders", len(waits)), "orders"), nil
}

// PairedMedian estimates the median of other − base over orders or runs that belong together. Where one of a pair failed, its wait
// is +Inf; where both failed, nothing is known of their difference, and each bound takes it for the worst.
//
// Source and limits: as Quantile; at least 6 pairs have an interval at 95 %.
func PairedMedian(base, other []float64) (Estimate, error) {
	if err := equalLengths(len(base), len(other)); err != nil {
		return Estimate{}, err
	}
	differences := make([]between, len(base))
	for i := range base {
		if math.IsNaN(base[i]) || math.IsNaN(other[i]) {
			return Estimate{}, fmt.Errorf("pair %d has a value that is not a number", i+1)
		}
		differences[i] = exactly(other[i]).minus(exactly(base[i]))
	}
	return medianOf(differences), nil
}

// UnpairedQuantile estimates the difference of a quantile of two sets of waits that do not belong together, other − base.
//
// Source: both intervals joined by the square-and-add method (Zou and Donner, Statistics in Medicine 27, 2008); where a bound is
// infinite, the difference of the bounds. Limits: as Quantile.
func UnpairedQuantile(base, other []float64, quantile float64) (Estimate, error) {
	b, err := Quantile(base, quantile)
	o, err2 := Quantile(other, quantile)
	if err = errors.Join(err, err2); err != nil {
		return Estimate{}, err
	}
	e := joined(b, o)
	e.Unit = "orders of each"
	e.Method = fmt.Sprintf("order statistics of %d and %d orders", b.N, o.N)
	return e, nil
}

// joined is the difference o − b of independent estimates, by the square-and-add method.
func joined(b, o Estimate) Estimate {
	d := exactly(o.Value).minus(exactly(b.Value))
	e := Estimate{Value: d.middle(), N: min(b.N, o.N)}
	e.bounds = func(n int, miss float64) (float64, float64) {
		more := float64(n) / float64(e.N)
		bl, bh := b.interval(int(more*float64(b.N)), miss)
		ol, oh := o.interval(int(more*float64(o.N)), miss)
		worst := between{ol, oh}.minus(between{bl, bh})
		low, high := worst.low, worst.high
		if squared := e.Value - math.Hypot(o.Value-ol, bh-b.Value); !math.IsNaN(squared) && !math.IsInf(squared, 0) {
			low = squared
		}
		if squared := e.Value + math.Hypot(oh-o.Value, b.Value-bl); !math.IsNaN(squared) && !math.IsInf(squared, 0) {
			high = squared
		}
		return low, high
	}
	return e
}

// between is a value of which no more than its bounds is known: the difference of two failures is anything.
type between struct{ low, high float64 }

func exactly(v float64) between { return between{v, v} }

func (x between) minus(y between) between {
	d := between{x.low - y.high, x.high - y.low}
	if math.IsNaN(d.low) {
		d.low = math.Inf(-1)
	}
	if math.IsNaN(d.high) {
		d.high = math.Inf(1)
	}
	return d
}

func (x between) plus(y between) between { return x.minus(between{-y.high, -y.low}) }

func (x between) half() between { return between{x.low / 2, x.high / 2} }

// middle is the one value to print: 0 when nothing is known.
func (x between) middle() float64 {
	if x.low == x.high {
		return x.low
	}
	if m := x.low/2 + x.high/2; !math.IsNaN(m) {
		return m
	}
	return 0
}

// medianOf estimates the median of values of which some are not known.
func medianOf(values []between) Estimate {
	lows, highs, middles := make([]float64, len(values)), make([]float64, len(values)), make([]float64, len(values))
	for i, v := range values {
		lows[i], highs[i], middles[i] = v.low, v.high, v.middle()
	}
	e := quantileOf(lows, highs, 0.5, fmt.Sprintf("order statistics of %d pairs", len(values)), "pairs")
	slices.Sort(middles)
	half := len(middles) / 2
	e.Value = middles[half]
	if len(middles)%2 == 0 {
		e.Value = between{middles[half-1], middles[half]}.middle()
	}
	return e
}

// quantileOf estimates a quantile of values that are known to lie between lows and highs.
func quantileOf(lows, highs []float64, quantile float64, method, unit string) Estimate {
	lows, highs = slices.Clone(lows), slices.Clone(highs)
	slices.Sort(lows)
	slices.Sort(highs)
	n := len(lows)
	at := lows[min(n-1, max(0, int(math.Ceil(quantile*float64(n)))-1))]
	if quantile == 0.5 && n%2 == 0 {
		at = between{lows[n/2-1], lows[n/2]}.middle()
	}
	e := Estimate{Value: at, N: n, Unit: unit, Method: method}
	e.bounds = func(of int, miss float64) (low, high float64) {
		low, high = math.Inf(-1), math.Inf(1)
		scale := float64(n) / float64(of) // more values than there are: ranks between those that there are
		if k := lowRank(of, quantile, miss); k > 0 {
			low = lows[min(n-1, int(math.Ceil(float64(k)*scale))-1)]
		}
		if k := lowRank(of, 1-quantile, miss); k > 0 {
			high = highs[max(0, n-int(math.Ceil(float64(k)*scale)))]
		}
		return low, high
	}
	return e
}

func checkQuantile(waits []float64, quantile float64) error {
	if !(quantile > 0 && quantile < 1) {
		return fmt.Errorf("quantile %g: it must lie between 0 and 1", quantile)
	}
	if len(waits) == 0 {
		return errors.New("no orders: nothing can be estimated")
	}
	if i := slices.IndexFunc(waits, math.IsNaN); i >= 0 {
		return fmt.Errorf("the wait of order %d is not a number: an order that failed is +Inf", i+1)
	}
	return nil
}
