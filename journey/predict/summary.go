package predict

import (
	"cmp"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// summarize describes what was measured and what is predicted: of all journeys, and of each root.
func (r *runner) summarize() {
	r.Measured, r.Predicted = summaries(r.Journeys)
	byRoot := make(map[compare.Root][]Journey)
	for _, j := range r.Journeys {
		root := compare.RootOf(j.Of)
		byRoot[root] = append(byRoot[root], j)
	}
	roots := sortedRoots(byRoot)
	for _, root := range roots {
		list := byRoot[root]
		text := ""
		if len(roots) > 1 {
			x := RootPrediction{Root: root, Journeys: len(list)}
			x.Measured, x.Predicted = summaries(list)
			r.Roots = append(r.Roots, x)
			text = root.String()
		}
		r.Changes = append(r.Changes, changes(list, text)...)
	}
}

// sortedRoots returns the roots, those with the most journeys first.
func sortedRoots[T any](byRoot map[compare.Root][]T) []compare.Root {
	var roots []compare.Root
	for root := range byRoot {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(a, b compare.Root) int {
		return cmp.Or(cmp.Compare(len(byRoot[b]), len(byRoot[a])), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
	})
	return roots
}

// summaries describe journeys as measured and as predicted.
func summaries(list []Journey) (measured, predicted Summary) {
	m, p := columns(list)
	measured, predicted = m.summary(), p.summary()
	for _, s := range predicted.list() {
		if s != nil {
			s.P95, s.P99 = nil, nil
		}
	}
	return measured, predicted
}

// changes compare what is predicted with what was measured, journey by journey.
func changes(list []Journey, root string) []compare.Difference {
	m, p := columns(list)
	var differences []compare.Difference
	for n, name := range measureNames {
		if len(m[n].Values) == 0 {
			continue
		}
		p[n].Weights = nil // a journey is one pair, which stands for as many as the journey does
		d := compare.PairedFigures(m[n], p[n])
		d.Root, d.Base, d.Other, d.Measure = root, "measured", "predicted", name
		differences = append(differences, d)
	}
	return differences
}

// noInterval says why there are no intervals, "" where there are.
func (r *runner) noInterval() string {
	for _, d := range r.Changes {
		if d.Reason != "" {
			return d.Reason
		}
	}
	return ""
}

// measureNames are the measures that are predicted, in the order of values.
var measureNames = [...]string{compare.CallerWait, compare.Completion, compare.Tail}

// values are milliseconds by measure. Only journeys with a root have the first and the last.
type values [len(measureNames)]compare.Figures

// columns returns the times of journeys as measured and as predicted.
func columns(list []Journey) (measured, predicted values) {
	of := make([]*journey.Journey, len(list))
	for i, j := range list {
		of[i] = j.Of
	}
	w := newWeigher(of)
	measured, predicted = w.values(), w.values()
	for i, j := range list {
		w.add(&measured, i, j.Measured)
		w.add(&predicted, i, j.Predicted)
	}
	return measured, predicted
}

// weigher gives the figures of journeys their weights.
type weigher struct {
	weights    []float64
	noInterval string
}

func newWeigher(list []*journey.Journey) weigher {
	reason, _ := journey.SamplingOf(list).NoInterval()
	return weigher{journey.Weights(list), reason}
}

// values returns figures without values.
func (w weigher) values() values {
	var v values
	for n := range v {
		v[n].NoInterval = w.noInterval
	}
	return v
}

// add appends the times of journey i.
func (w weigher) add(v *values, i int, t Times) {
	add := func(n int, d time.Duration) {
		v[n].Values = append(v[n].Values, milliseconds(d))
		if w.weights != nil {
			v[n].Weights = append(v[n].Weights, w.weights[i])
		}
	}
	add(1, t.Completion)
	if t.Rooted {
		add(0, t.CallerWait)
		add(2, t.Tail())
	}
}

func (v *values) summary() Summary {
	of := func(f compare.Figures) *compare.Summary {
		if len(f.Values) == 0 {
			return nil
		}
		return new(f.Summarize())
	}
	return Summary{of(v[0]), of(v[1]), of(v[2])}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
