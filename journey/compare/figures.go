package compare

import (
	"cmp"
	"math"
	"slices"
)

// Figures are the values of a measure, each with how many journeys it stands for.
type Figures struct {
	Values     []float64
	Weights    []float64 // by value; nil: each stands for the same number
	NoInterval string    // why there is no interval for them, "" where there is one
}

// Summarize describes the figures: as the function Summarize does, and by their weights where they have any. Percentiles need
// as many values that stand for some.
func (f Figures) Summarize() Summary {
	s := Summarize(f.Values)
	if f.Weights != nil && s.N > 0 {
		sorted := f.sorted()
		s.Median, s.P95, s.P99 = new(sorted.quantile(0.5)), nil, nil
		if len(sorted.Values) >= minP95 {
			s.P95 = new(sorted.quantile(0.95))
		}
		if len(sorted.Values) >= minP99 {
			s.P99 = new(sorted.quantile(0.99))
		}
	}
	if f.bare() {
		s.Low, s.High = nil, nil
	}
	return s
}

// bare reports that there is no interval for the figures: order statistics count each value once.
func (f Figures) bare() bool { return f.NoInterval != "" || f.Weights != nil }

// mean is weighted.
func (f Figures) mean() float64 {
	if f.Weights == nil {
		return mean(f.Values)
	}
	var sum, total float64
	for i, v := range f.Values {
		sum += v * f.Weights[i]
		total += f.Weights[i]
	}
	if total == 0 { // none stands for any: each counts once
		return mean(f.Values)
	}
	return sum / total
}

// sorted returns the figures by value, without those that stand for none; when all do, each counts once.
func (f Figures) sorted() Figures {
	none := f.Weights == nil || !slices.ContainsFunc(f.Weights, func(w float64) bool { return w > 0 })
	var order []int
	for i := range f.Values {
		if none || f.Weights[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.Values[a], f.Values[b]) })
	s := Figures{Values: make([]float64, len(order)), Weights: make([]float64, len(order)), NoInterval: f.NoInterval}
	for at, i := range order {
		s.Values[at], s.Weights[at] = f.Values[i], 1
		if !none {
			s.Weights[at] = f.Weights[i]
		}
	}
	return s
}

// quantile returns the least value that at least that share of the weight does not exceed; of the median, the mean with the next
// one where exactly half of the weight lies on either side. The figures are sorted.
func (f Figures) quantile(q float64) float64 {
	var total, below float64
	for _, w := range f.Weights {
		total += w
	}
	want, last := q*total, len(f.Values)-1
	for i, w := range f.Weights {
		below += w
		switch {
		case i == last:
		case q == 0.5 && math.Abs(below-want) <= total*1e-12:
			return f.Values[i] + (f.Values[i+1]-f.Values[i])/2
		case below < want:
			continue
		}
		return f.Values[i]
	}
	return math.NaN()
}

// add appends the figure of journey i, whose weight is among weights unless that is nil.
func (f *Figures) add(v float64, weights []float64, i int32) {
	f.Values = append(f.Values, v)
	if weights != nil {
		f.Weights = append(f.Weights, weights[i])
	}
}

// PairedFigures is Paired of figures. A pair stands for as many as its journeys do together: of independent samples, both are
// there as often as the product of their shares.
func PairedFigures(base, other Figures) Difference {
	d := Paired(base.Values, other.Values)
	if !base.bare() && !other.bare() {
		return d
	}
	differences := Figures{Weights: PairWeights(base, other)}
	for i := range d.N {
		differences.Values = append(differences.Values, other.Values[i]-base.Values[i])
	}
	d.Delta = differences.Summarize().Median
	d.withoutInterval(cmp.Or(base.NoInterval, other.NoInterval, weightsDiffer))
	return d
}

// weightsDiffer is the reason for figures that come with weights and without a reason.
const weightsDiffer = "journeys were sampled with different weights"

// PairWeights returns how many each pair stands for, in the order of the values: as many as its two figures together. Nil: no side has weights.
func PairWeights(base, other Figures) []float64 {
	if base.Weights == nil && other.Weights == nil {
		return nil
	}
	list := make([]float64, min(len(base.Values), len(other.Values)))
	for i := range list {
		list[i] = 1
		for _, w := range [][]float64{base.Weights, other.Weights} {
			if w != nil {
				list[i] *= w[i]
			}
		}
	}
	return list
}

// UnpairedFigures is Unpaired of figures.
func UnpairedFigures(base, other Figures) Difference {
	if !base.bare() && !other.bare() {
		return Unpaired(base.Values, other.Values)
	}
	b, o := base.Summarize(), other.Summarize()
	d := Difference{N: min(b.N, o.N)}
	if d.N > 0 {
		d.Delta = new(*o.Median - *b.Median)
	}
	d.withoutInterval(cmp.Or(base.NoInterval, other.NoInterval, weightsDiffer))
	return d
}

func (d *Difference) withoutInterval(reason string) {
	d.Low, d.High, d.Verdict, d.Reason = nil, nil, VerdictNone, reason
}
