package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"tracelab/experiments/verdict"
)

// Per says what the values of a figure stand for.
type Per string

// What values stand for.
const (
	PerOrder Per = "order" // by number: the same position is the same work in every arm
	PerRun   Per = "run"   // by seed
	PerPoint Per = "point" // of a curve: over time, over a rate, over a number of workers
)

// Figure is one thing that was measured, in one arm of an experiment: values, or hits of so many.
type Figure struct {
	Arm     string `json:"arm"`     // a form, or a form and what is special: "grpc", "kafka with outbox"
	Measure string `json:"measure"` // "caller wait", "client errors", …
	Unit    string `json:"unit"`    // ms, orders/s, share, …
	Per     Per    `json:"per"`
	Values  Values `json:"values,omitempty"`
	At      Values `json:"at,omitempty"`   // of a curve: where its points are
	Over    string `json:"over,omitempty"` // of a curve: what At is, with its unit: "time, s"
	Hits    int    `json:"hits,omitempty"` // of a share or a count that is complete
	Of      int    `json:"of,omitempty"`
}

// Values are figures by order or by run. An order that failed is +Inf, what is not known is NaN; in JSON they are "failed" and null.
type Values []float64

// MarshalJSON writes what JSON has no numbers for.
func (v Values) MarshalJSON() ([]byte, error) {
	list := make([]any, len(v))
	for i, x := range v {
		switch {
		case math.IsNaN(x):
		case math.IsInf(x, 1):
			list[i] = "failed"
		default:
			list[i] = math.Round(x*1e6) / 1e6
		}
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Values) UnmarshalJSON(text []byte) error {
	var list []any
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	*v = make(Values, len(list))
	for i, x := range list {
		switch x := x.(type) {
		case nil:
			(*v)[i] = math.NaN()
		case float64:
			(*v)[i] = x
		case string:
			(*v)[i] = math.Inf(1)
		default:
			return fmt.Errorf("value %d is %v: want a number, null or \"failed\"", i+1, x)
		}
	}
	return nil
}

// known are the values that are not NaN.
func (v Values) known() []float64 {
	return slices.DeleteFunc(slices.Clone(v), math.IsNaN)
}

// Figures are all that an experiment measured.
type Figures []Figure

// PerOrder adds a figure with one value for each order.
func (f *Figures) PerOrder(arm, measure, unit string, values []float64) {
	*f = append(*f, Figure{Arm: arm, Measure: measure, Unit: unit, Per: PerOrder, Values: values})
}

// PerRun adds a figure with one value for each run.
func (f *Figures) PerRun(arm, measure, unit string, values []float64) {
	*f = append(*f, Figure{Arm: arm, Measure: measure, Unit: unit, Per: PerRun, Values: values})
}

// Curve adds values over something: time, a rate, a number of workers. Curves are drawn, and are in no table.
func (f *Figures) Curve(arm, measure, unit, over string, at, values []float64) {
	*f = append(*f, Figure{Arm: arm, Measure: measure, Unit: unit, Per: PerPoint, At: at, Over: over, Values: values})
}

// Count adds a share: hits of so many orders.
func (f *Figures) Count(arm, measure string, hits, of int) {
	*f = append(*f, Figure{Arm: arm, Measure: measure, Unit: "share", Per: PerOrder, Hits: hits, Of: of})
}

// find returns the figure of an arm.
func (f Figures) find(arm, measure string) (Figure, error) {
	i := slices.IndexFunc(f, func(x Figure) bool { return x.Arm == arm && x.Measure == measure })
	if i < 0 {
		return Figure{}, fmt.Errorf("there is no figure %q of %q", measure, arm)
	}
	return f[i], nil
}

// Values returns the values of an arm.
func (f Figures) Values(arm, measure string) ([]float64, error) {
	x, err := f.find(arm, measure)
	return x.Values, err
}

// Share returns the hits of an arm, and of how many.
func (f Figures) Share(arm, measure string) (hits, of int, err error) {
	x, err := f.find(arm, measure)
	return x.Hits, x.Of, err
}

// Paired returns the values of several arms at the positions at which all of them are known.
func (f Figures) Paired(measure string, arms ...string) ([][]float64, error) {
	all := make([][]float64, len(arms))
	n := math.MaxInt
	for i, arm := range arms {
		values, err := f.Values(arm, measure)
		if err != nil {
			return nil, err
		}
		all[i], n = values, min(n, len(values))
	}
	kept := make([][]float64, len(arms))
	for at := range n {
		if slices.ContainsFunc(all, func(values []float64) bool { return math.IsNaN(values[at]) }) {
			continue
		}
		for i := range all {
			kept[i] = append(kept[i], all[i][at])
		}
	}
	if len(kept) == 0 || len(kept[0]) == 0 {
		return nil, fmt.Errorf("no %s is known in all of %q", measure, arms)
	}
	return kept, nil
}

// Difference estimates by how much a figure of one arm exceeds that of the base: the median over pairs of orders, or the mean over pairs of
// runs.
func (f Figures) Difference(measure, base, other string) (verdict.Estimate, error) {
	of, err := f.find(base, measure)
	if err != nil {
		return verdict.Estimate{}, err
	}
	pairs, err := f.Paired(measure, base, other)
	if err != nil {
		return verdict.Estimate{}, err
	}
	if of.Per == PerRun {
		return verdict.PairedRuns(pairs[0], pairs[1])
	}
	return verdict.PairedMedian(pairs[0], pairs[1])
}

// Estimate is the figure as one number with its interval: the median over orders, the mean over runs, a share, or a complete count.
func (f Figure) Estimate() (verdict.Estimate, error) {
	switch {
	case f.Per == PerPoint:
		return verdict.Estimate{}, errors.New("a curve is not one number")
	case f.Of > 0 && f.Per == PerRun:
		runs, err := verdict.Runs(f.Values.known())
		all, err2 := verdict.Share(f.Hits, f.Of)
		return verdict.Wider(runs, all), errors.Join(err, err2)
	case f.Of > 0:
		return verdict.Share(f.Hits, f.Of)
	case len(f.Values) == 0:
		return verdict.Exact(float64(f.Hits), 1, "counts"), nil
	case f.Per == PerRun:
		return verdict.Runs(f.Values.known())
	}
	return verdict.Quantile(f.Values.known(), 0.5)
}
