package predict

import (
	"math"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// Residual is how far a measure is off: predicted less measured elsewhere.
type Residual struct {
	Measure string   `json:"-"`
	Median  *float64 `json:"median"` // of the pairs' differences; without pairs, the difference of the medians
	P95     *float64 `json:"p95"`    // that 95 % of the pairs' differences do not exceed in size; nil under 20 pairs that stand for some
	N       int      `json:"n"`      // pairs; 0 when the journeys do not pair
}

// Check compares a prediction with what was measured.
type Check struct {
	Name       string // of the set
	Incomplete int    // journeys of the set of which spans are missing, and that are in no figure
	Measured   Summary
	Residuals  []Residual // caller wait, completion, tail; those that both have
	Warnings   []string

	// Roots are the figures for each root of the prediction, in its order; nil where all journeys of it have one.
	Roots []RootCheck
}

// RootCheck is a prediction of the journeys of one root beside what was measured.
type RootCheck struct {
	Root      compare.Root
	Measured  Summary
	Residuals []Residual
}

// Check compares a prediction with journeys that were measured with the other carriers: pair by pair where keys agree, else
// by the medians. Of the options only WithIncomplete counts.
func (p Prediction) Check(name string, journeys []*journey.Journey, key compare.PairKey, opts ...Option) Check {
	whole := newOptions(opts).whole(journeys)
	c := Check{Name: name, Incomplete: len(journeys) - len(whole)}
	paired := false
	c.Measured, c.Residuals, paired = check(p.Journeys, p.Predicted, whole, key)
	if !paired {
		c.Warnings = append(c.Warnings, "the journeys do not pair with those of "+name+": the residual is the difference of the medians")
	}
	if p.Roots == nil {
		return c
	}
	own, theirs := make(map[compare.Root][]Journey), make(map[compare.Root][]*journey.Journey)
	for _, j := range p.Journeys {
		own[compare.RootOf(j.Of)] = append(own[compare.RootOf(j.Of)], j)
	}
	for _, j := range whole {
		theirs[compare.RootOf(j)] = append(theirs[compare.RootOf(j)], j)
	}
	for _, r := range p.Roots {
		x := RootCheck{Root: r.Root}
		x.Measured, x.Residuals, _ = check(own[r.Root], r.Predicted, theirs[r.Root], key)
		c.Roots = append(c.Roots, x)
	}
	return c
}

// check compares predicted journeys with measured ones, and reports whether it did so pair by pair.
func check(list []Journey, of Summary, journeys []*journey.Journey, key compare.PairKey) (measured Summary, residuals []Residual, paired bool) {
	all := newWeigher(journeys)
	everything := all.values()
	for i, j := range journeys {
		all.add(&everything, i, measuredTimes(j))
	}
	measured = everything.summary()
	var ours, theirs []*journey.Journey
	var predicted []Times
	byKey, twice := keyed(journeys, key)
	own := make(map[string]bool)
	for _, j := range list {
		k, ok := keyOf(j.Of, key)
		if !ok {
			continue
		}
		twice = twice || own[k]
		own[k] = true
		if other, ok := byKey[k]; ok && measuredTimes(other).Rooted == j.Predicted.Rooted {
			ours, theirs, predicted = append(ours, j.Of), append(theirs, other), append(predicted, j.Predicted)
		}
	}
	if len(ours) == 0 || twice {
		return measured, unpaired(of, measured), false
	}
	x, y := newWeigher(ours), newWeigher(theirs)
	a, b := x.values(), y.values()
	for i := range ours {
		x.add(&a, i, predicted[i])
		y.add(&b, i, measuredTimes(theirs[i]))
	}
	for n, measure := range measureNames {
		if len(a[n].Values) > 0 {
			residuals = append(residuals, residual(measure, b[n], a[n]))
		}
	}
	return measured, residuals, true
}

func residual(measure string, measured, predicted compare.Figures) Residual {
	d := compare.PairedFigures(measured, predicted)
	sizes := make([]float64, d.N)
	for i := range sizes {
		sizes[i] = math.Abs(predicted.Values[i] - measured.Values[i])
	}
	return Residual{measure, d.Delta, compare.Figures{Values: sizes, Weights: compare.PairWeights(measured, predicted)}.Summarize().P95, d.N}
}

func unpaired(predicted, measured Summary) []Residual {
	var list []Residual
	other := measured.list()
	for n, s := range predicted.list() {
		if s != nil && other[n] != nil {
			list = append(list, Residual{Measure: measureNames[n], Median: new(*s.Median - *other[n].Median)})
		}
	}
	return list
}

func (s Summary) list() [len(measureNames)]*compare.Summary {
	return [...]*compare.Summary{s.CallerWait, s.Completion, s.Tail}
}

func measuredTimes(j *journey.Journey) Times {
	wait, rooted := j.CallerWait()
	return Times{wait, j.Completion(), rooted}
}

func keyOf(j *journey.Journey, key compare.PairKey) (string, bool) {
	if key == nil {
		return "", false
	}
	return key(j)
}

func keyed(journeys []*journey.Journey, key compare.PairKey) (byKey map[string]*journey.Journey, twice bool) {
	byKey = make(map[string]*journey.Journey, len(journeys))
	for _, j := range journeys {
		if k, ok := keyOf(j, key); ok {
			twice = twice || byKey[k] != nil
			byKey[k] = j
		}
	}
	return byKey, twice
}
