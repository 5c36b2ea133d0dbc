package predict

import (
	"math"
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// Residual is how far a measure is off: predicted less measured elsewhere.
type Residual struct {
	Measure string   `json:"-"`
	Median  *float64 `json:"median"` // of the pairs' differences; without pairs, the difference of the medians
	P95     *float64 `json:"p95"`    // that 95 % of the pairs' differences do not exceed in size; nil under 20 pairs
	N       int      `json:"n"`      // pairs; 0 when the journeys do not pair
}

// Check compares a prediction with what was measured.
type Check struct {
	Name      string // of the set
	Measured  Summary
	Residuals []Residual // caller wait, completion, tail; those that both have
	Warnings  []string
}

// Check compares a prediction with journeys that were measured with the other carriers: pair by pair where keys agree, else
// by the medians.
func (p Prediction) Check(name string, journeys []*journey.Journey, key compare.PairKey) Check {
	whole := slices.DeleteFunc(slices.Clone(journeys), incomplete)
	if len(whole) == 0 {
		whole = journeys
	}
	var predicted, measured, all values
	byKey, twice := keyed(whole, key)
	for _, j := range whole {
		all.add(measuredTimes(j))
	}
	pairs := 0
	own := make(map[string]bool)
	for _, j := range p.Journeys {
		k, ok := keyOf(j.Of, key)
		if !ok {
			continue
		}
		twice = twice || own[k]
		own[k] = true
		other, ok := byKey[k]
		if !ok {
			continue
		}
		if m := measuredTimes(other); m.Rooted == j.Predicted.Rooted {
			predicted.add(j.Predicted)
			measured.add(m)
			pairs++
		}
	}
	c := Check{Name: name, Measured: all.summary()}
	if pairs == 0 || twice {
		c.Warnings = append(c.Warnings, "the journeys do not pair with those of "+name+": the residual is the difference of the medians")
		c.unpaired(p.Predicted)
		return c
	}
	for n, measure := range measureNames {
		if len(predicted[n]) > 0 {
			c.Residuals = append(c.Residuals, residual(measure, predicted[n], measured[n]))
		}
	}
	return c
}

func residual(measure string, predicted, measured []float64) Residual {
	differences, sizes := make([]float64, len(predicted)), make([]float64, len(predicted))
	for i := range predicted {
		differences[i] = predicted[i] - measured[i]
		sizes[i] = math.Abs(differences[i])
	}
	return Residual{measure, compare.Summarize(differences).Median, compare.Summarize(sizes).P95, len(differences)}
}

func (c *Check) unpaired(predicted Summary) {
	other := c.Measured.list()
	for n, s := range predicted.list() {
		if s != nil && other[n] != nil {
			c.Residuals = append(c.Residuals, Residual{Measure: measureNames[n], Median: new(*s.Median - *other[n].Median)})
		}
	}
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
