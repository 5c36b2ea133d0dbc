package compare

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Amount is how much a measure may differ: a share of the base, or a number in the measure's own unit.
type Amount struct {
	Share bool
	Value float64 // of a share, 0.05 is 5 %; else in the measure's unit, such as milliseconds
}

// ParseAmount reads 5%, 0.5 %, 1ms or 250us: a percentage, or a duration as time.ParseDuration reads it. A negative amount is
// an error.
func ParseAmount(text string) (Amount, error) {
	text = strings.TrimSpace(text)
	a := Amount{}
	if number, percent := strings.CutSuffix(text, "%"); percent {
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil {
			return a, fmt.Errorf("amount %q: a number before %% is expected, such as 5%%", text)
		}
		a = Amount{true, v / 100}
	} else {
		d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			return a, fmt.Errorf("amount %q is neither a percentage nor a duration: use 5%% or 2ms", text)
		}
		a = Amount{false, milliseconds(d)}
	}
	if math.IsNaN(a.Value) || math.IsInf(a.Value, 0) || math.Signbit(a.Value) {
		return Amount{}, fmt.Errorf("amount %q is negative or not finite", text)
	}
	return a, nil
}

// String writes the amount as ParseAmount reads it.
func (a Amount) String() string {
	if a.Share {
		return strconv.FormatFloat(a.Value*100, 'g', 12, 64) + "%"
	}
	return strconv.FormatFloat(a.Value, 'f', -1, 64) + "ms"
}

// words writes, with a sign, a value to be compared with the amount: +1.2 %, −3.00 ms.
func (a Amount) words(measure string, v float64) string {
	sign := "+"
	if v < 0 {
		sign, v = "−", -v
	}
	switch {
	case v == 0:
		sign = ""
	case math.IsInf(v, 0):
		return sign + "∞"
	}
	if a.Share {
		return sign + strconv.FormatFloat(v*100, 'f', 1, 64) + " %"
	}
	return sign + Value(measure, v)
}

// judge gives a difference the verdict VerdictSame where its whole interval lies within the amount. b and o are the values
// that were compared.
func (a Amount) judge(d *Difference, b, o Figures) {
	d.SameWithin = a.String()
	if x := a.difference(b, o, d.Paired, 0.5); x.Low != nil && x.High != nil && *x.Low >= -a.Value && *x.High <= a.Value {
		d.Verdict = VerdictSame
	}
}

// difference compares values by a quantile, in the unit of the amount: as a share of the base, or as they are. Pairs are
// compared by the median of their ratios or differences.
func (a Amount) difference(b, o Figures, paired bool, quantile float64) Difference {
	switch {
	case b.bare() || o.bare():
		return a.weighted(b, o, paired, quantile)
	case paired && a.Share:
		return pairedShare(b.Values, o.Values)
	case paired:
		return Paired(b.Values, o.Values)
	case a.Share:
		return unpairedShare(b.Values, o.Values, quantile)
	}
	return unpairedQuantile(b.Values, o.Values, quantile)
}

// weighted is difference of figures that have weights, or that there is no interval for.
func (a Amount) weighted(b, o Figures, paired bool, quantile float64) Difference {
	d := Difference{Paired: paired, N: min(len(b.Values), len(o.Values))}
	if d.N > 0 {
		var delta float64
		if paired {
			pairs := Figures{Weights: PairWeights(b, o)}
			for i := range d.N {
				v := o.Values[i] - b.Values[i]
				if a.Share {
					v = shareOf(b.Values[i], o.Values[i])
				}
				pairs.Values = append(pairs.Values, v)
			}
			delta = pairs.sorted().quantile(0.5)
		} else {
			base, other := b.sorted().quantile(quantile), o.sorted().quantile(quantile)
			if delta = other - base; a.Share {
				delta = shareOf(base, other)
			}
		}
		if finite(delta) {
			d.Delta = &delta
		}
	}
	d.withoutInterval(cmp.Or(b.NoInterval, o.NoInterval, weightsDiffer))
	return d
}
