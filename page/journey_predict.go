package page

import (
	"fmt"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/predict"
	"tracelab/services"
)

// predictionView is what a unit would take in another form, predicted from its journey in this one.
type predictionView struct {
	From, To string
	Rows     []predictionRow
	Source   string   // what the prediction rests on
	Problem  string   // why there is none
	Notes    []string // what a prediction does not know
}

// predictionRow is a measure.
type predictionRow struct {
	Measure, Measured, Predicted string
	Range                        string // how far such predictions are off here; a reason when that is not known
	Real                         string // what the twin took; "" when there is no twin
	Inside                       string // whether that is inside the range; "" when nothing can be said
}

// fewestPairs is from how many pairs on something is said about how far predictions are off.
const fewestPairs = 20

// predictionOf predicts how long the unit of a journey takes in another form, of which journeys are kept too. How far off that may be is seen by
// predicting all of own and comparing with theirs, pair by pair.
func predictionOf(of drawnJourney, to string, own, theirs []*journey.Journey) predictionView {
	v := predictionView{From: of.Form, To: to}
	if len(theirs) == 0 {
		v.Problem = "no unit of this form is kept: place one, so that what its hops cost can be measured"
		return v
	}
	own = append([]*journey.Journey{of.Of}, withoutUnit(own, of.Of)...)
	p, err := predict.Predict(own, predict.Like(to, theirs), predict.Named(of.Form), predict.From(to, theirs))
	if err != nil {
		v.Problem = clip(err.Error(), headerLimit)
		return v
	}
	check := p.Check(to, theirs, compare.ByAttribute(services.KeyNumber))
	v.Source = fmt.Sprintf("what publish, delivery and calls cost is measured on %s of %s and %d of %s", countOf(len(theirs), "journey"), to, len(own), of.Form)
	for _, w := range p.Warnings[:min(len(p.Warnings), maxFindings)] {
		v.Notes = append(v.Notes, clip(w, headerLimit))
	}
	twin := twinOf(of.Of, theirs)
	for _, x := range p.Journeys {
		if x.Of == of.Of {
			v.Rows = rowsOf(x, twin, check.Residuals)
		}
	}
	if v.Rows == nil {
		v.Problem = "this journey is incomplete, so nothing is predicted of it"
	}
	return v
}

// withoutUnit leaves out the journey of the same unit.
func withoutUnit(list []*journey.Journey, of *journey.Journey) []*journey.Journey {
	same := twinOf(of, list)
	return slices.DeleteFunc(slices.Clone(list), func(j *journey.Journey) bool { return j == same || j == of })
}

// twinOf finds the journey of the same unit; nil when it is not there.
func twinOf(j *journey.Journey, list []*journey.Journey) *journey.Journey {
	key := compare.ByAttribute(services.KeyNumber)
	number, ok := key(j)
	if !ok {
		return nil
	}
	for _, other := range list {
		if n, found := key(other); found && n == number {
			return other
		}
	}
	return nil
}

// rowsOf makes a row of each measure that a journey has.
func rowsOf(x predict.Journey, twin *journey.Journey, off []predict.Residual) []predictionRow {
	list := []struct {
		name                string
		measured, predicted time.Duration
		real                func(*journey.Journey) (time.Duration, bool)
	}{
		{compare.CallerWait, x.Measured.CallerWait, x.Predicted.CallerWait, (*journey.Journey).CallerWait},
		{compare.Completion, x.Measured.Completion, x.Predicted.Completion, func(j *journey.Journey) (time.Duration, bool) { return j.Completion(), true }},
	}
	var rows []predictionRow
	for _, m := range list {
		if m.name == compare.CallerWait && !x.Measured.Rooted {
			continue
		}
		r := predictionRow{Measure: measureWords(m.name), Measured: format.Duration(m.measured), Predicted: format.Duration(m.predicted), Range: "not known: it takes 20 pairs of twins"}
		low, high, known := rangeOf(m.name, m.predicted, off)
		if known {
			r.Range = format.Duration(low) + " to " + format.Duration(high)
		}
		if twin != nil {
			if d, ok := m.real(twin); ok {
				r.Real = format.Duration(d)
				if known {
					r.Inside = "outside the range"
					if low <= d && d <= high {
						r.Inside = "inside the range"
					}
				}
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func measureWords(name string) string {
	if name == compare.CallerWait {
		return "caller wait"
	}
	return "completion"
}

// rangeOf is where 95 of 100 twins were found around their predictions.
func rangeOf(measure string, predicted time.Duration, off []predict.Residual) (low, high time.Duration, ok bool) {
	for _, r := range off {
		if r.Measure == measure && r.P95 != nil && r.N >= fewestPairs {
			d := time.Duration(*r.P95 * float64(time.Millisecond))
			return max(0, predicted-d), predicted + d, true
		}
	}
	return 0, 0, false
}
