package compare

import (
	"math"
	"slices"
)

// Group returns the baseline as a group that can be compared with.
func (b *Baseline) Group() Group { return Group{Name: b.Name, Baseline: b, Doubt: b.Doubt} }

// KeepRoots returns the baseline with the roots that contain a text: see Root.Contains.
func (b *Baseline) KeepRoots(text string) *Baseline {
	kept := *b
	kept.Roots = slices.DeleteFunc(slices.Clone(b.Roots), func(r BaselineRoot) bool { return !r.Root.Contains(text) })
	return &kept
}

// WithoutKeys returns the baseline without the keys that pair journeys.
func (b *Baseline) WithoutKeys() *Baseline {
	bare := *b
	bare.Roots = slices.Clone(b.Roots)
	for i := range bare.Roots {
		bare.Roots[i].Keys = make([]*string, len(bare.Roots[i].Keys))
	}
	return &bare
}

func (b *Baseline) sampled() int {
	n := 0
	for i := range b.Roots {
		n += len(b.Roots[i].Keys)
	}
	return n
}

func (b *Baseline) journeys() int {
	n := 0
	for i := range b.Roots {
		n += b.Roots[i].Journeys
	}
	return n
}

func (b *Baseline) spans() int {
	n := 0
	for i := range b.Roots {
		n += b.Roots[i].Spans
	}
	return n
}

func (b *Baseline) structures() []Structure {
	var list structureList
	for i := range b.Roots {
		list.add(b.Roots[i].Structures, b.Roots[i].weight())
	}
	return list.shared()
}

// weight returns how many journeys those of the root stand for, as far as the sample tells.
func (r *BaselineRoot) weight() float64 {
	if len(r.Weights) == 0 {
		return float64(r.Journeys)
	}
	sum := 0.0
	for _, w := range r.Weights {
		sum += w
	}
	return sum / float64(len(r.Weights)) * float64(r.Journeys)
}

// figures returns a measure of each sampled journey, NaN for those without it.
func (b *Baseline) figures(measure string) []float64 {
	var list []float64
	for i := range b.Roots {
		r := &b.Roots[i]
		row, ok := r.Figures[measure]
		if !ok {
			row = slices.Repeat(baseRow{math.NaN()}, len(r.Keys))
		}
		list = append(list, row...)
	}
	return list
}

// weights returns how many journeys each sampled one stands for, nil where all stand for the same number.
func (b *Baseline) weights() []float64 {
	var list []float64
	for i := range b.Roots {
		r := &b.Roots[i]
		if r.Weights == nil {
			list = append(list, slices.Repeat([]float64{1}, len(r.Keys))...)
		} else {
			list = append(list, r.Weights...)
		}
	}
	if len(list) == 0 || !slices.ContainsFunc(list, func(w float64) bool { return w != list[0] }) {
		return nil
	}
	return list
}

func (b *Baseline) noInterval() string {
	for i := range b.Roots {
		if b.Roots[i].NoInterval != "" {
			return b.Roots[i].NoInterval
		}
	}
	return ""
}

func (b *Baseline) leftOut() []IncompleteReason {
	var list []IncompleteReason
	for i := range b.Roots {
		list = append(list, b.Roots[i].LeftOut...)
	}
	return list
}

func (b *Baseline) keys() []*string {
	var list []*string
	for i := range b.Roots {
		list = append(list, b.Roots[i].Keys...)
	}
	return list
}

func (b *Baseline) run(i int) int {
	for k := range b.Roots {
		r := &b.Roots[k]
		if i < len(r.Keys) {
			if r.Runs == nil {
				return 0
			}
			return r.Runs[i]
		}
		i -= len(r.Keys)
	}
	return 0
}
