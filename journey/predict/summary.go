package predict

import (
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// summarize describes what was measured and what is predicted.
func (r *runner) summarize() {
	measured, predicted := columns(r.Journeys, func(j Journey) Times { return j.Measured }), columns(r.Journeys, func(j Journey) Times { return j.Predicted })
	r.Measured, r.Predicted = measured.summary(), predicted.summary()
	for _, s := range []*compare.Summary{r.Predicted.CallerWait, r.Predicted.Completion, r.Predicted.Tail} {
		if s != nil {
			s.P95, s.P99 = nil, nil
		}
	}
	for n, name := range measureNames {
		if len(measured[n]) > 0 {
			d := compare.Paired(measured[n], predicted[n])
			d.Base, d.Other, d.Measure = "measured", "predicted", name
			r.Changes = append(r.Changes, d)
		}
	}
}

// measureNames are the measures that are predicted, in the order of values.
var measureNames = [...]string{compare.CallerWait, compare.Completion, compare.Tail}

// values are milliseconds by measure. Only journeys with a root have the first and the last.
type values [len(measureNames)][]float64

func columns(list []Journey, of func(Journey) Times) values {
	var v values
	for _, j := range list {
		v.add(of(j))
	}
	return v
}

func (v *values) add(t Times) {
	v[1] = append(v[1], milliseconds(t.Completion))
	if t.Rooted {
		v[0], v[2] = append(v[0], milliseconds(t.CallerWait)), append(v[2], milliseconds(t.Tail()))
	}
}

func (v *values) summary() Summary {
	of := func(list []float64) *compare.Summary {
		if len(list) == 0 {
			return nil
		}
		return new(compare.Summarize(list))
	}
	return Summary{of(v[0]), of(v[1]), of(v[2])}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func incomplete(j *journey.Journey) bool { _, ok := j.Incomplete(); return ok }
