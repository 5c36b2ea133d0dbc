package experiments

import (
	"math"

	"tracelab/experiments/verdict"
)

// Report is the verdict on one claim, with all that it stands on.
type Report struct {
	Name      string         `json:"name"`
	Statement string         `json:"statement"`
	Verdict   verdict.Word   `json:"verdict"`
	Why       string         `json:"why"`
	Rule      string         `json:"rule"`
	Delta     Amount         `json:"delta"`
	Kind      Kind           `json:"kind"`
	Size      Size           `json:"size"`
	Changed   []string       `json:"changed,omitempty"` // what differs from the defaults, in words
	Parts     []PartReport   `json:"parts"`
	Beside    []PartReport   `json:"beside,omitempty"` // shown, and not part of the rule
	Gates     []verdict.Gate `json:"gates"`
	Figures   []Measured     `json:"figures"`
	Settle    *verdict.Need  `json:"would_settle,omitempty"`
	Evidence  *Evidence      `json:"evidence,omitempty"`
	BrokerIs  string         `json:"broker_is,omitempty"` // on which its figures were measured
	Labs      int            `json:"labs"`
	Took      float64        `json:"took_s"`

	Alone verdict.Word `json:"alone,omitempty"` // the word before a correction over the ledger took it back

	verdict verdict.Verdict
}

// PartReport is one part of a sentence, judged.
type PartReport struct {
	Name     string       `json:"name"`
	Value    *float64     `json:"value"` // null: infinite, because orders failed
	Low      *float64     `json:"low"`   // null: not bounded
	High     *float64     `json:"high"`
	N        int          `json:"n"`
	Unit     string       `json:"n_unit"` // orders, pairs, runs
	Method   string       `json:"method"`
	Want     string       `json:"want,omitempty"`
	Verdict  verdict.Word `json:"verdict,omitempty"`
	Infinite bool         `json:"infinite,omitempty"`
}

// Measured is a figure with its prediction.
type Measured struct {
	Figure
	Predicted *float64 `json:"predicted"`
	Measured  *float64 `json:"measured"` // the median over orders, the mean over runs, the share; null: infinite or not known
	Residual  *float64 `json:"residual"`
	Low       *float64 `json:"low"`
	High      *float64 `json:"high"`
	N         int      `json:"n"`
	Runs      int      `json:"runs"` // of which each gave one value; 0 for values by order
}

// finite is a pointer to a number that JSON can write, else nil.
func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

// measuredOf puts predictions beside figures. What was predicted and not measured is there, too.
func measuredOf(figures Figures, predictions []Prediction) []Measured {
	list := make([]Measured, 0, len(figures))
	for _, f := range figures {
		m := Measured{Figure: f, N: max(f.Of, len(f.Values.known()))}
		if f.Per == PerRun {
			m.Runs = len(f.Values)
		}
		if e, err := f.Estimate(); err == nil {
			low, high := e.Interval(0.95)
			m.Measured, m.Low, m.High = finite(e.Value), finite(low), finite(high)
		}
		list = append(list, m)
	}
	for _, p := range predictions {
		m := find(list, p.Arm, p.Measure)
		if m == nil {
			list = append(list, Measured{Figure: Figure{Arm: p.Arm, Measure: p.Measure}})
			m = &list[len(list)-1]
		}
		m.Predicted = finite(p.Value)
		if m.Predicted != nil && m.Measured != nil {
			m.Residual = finite(*m.Measured - *m.Predicted)
		}
	}
	return list
}

func find(list []Measured, arm, measure string) *Measured {
	for i := range list {
		if list[i].Arm == arm && list[i].Measure == measure {
			return &list[i]
		}
	}
	return nil
}

// figures are those of a report, as they were measured.
func (r *Report) figures() Figures {
	var list Figures
	for _, m := range r.Figures {
		if m.Measured != nil || len(m.Values) > 0 || m.Of > 0 {
			list = append(list, m.Figure)
		}
	}
	return list
}

// judgeable is the gate that fails when a rule has nothing to stand on.
const judgeable = "figures can be judged"

// conclude decides on the figures and gates that the report has: of a run that just ended, or of a recorded one.
func (r *Report) conclude(claim Claim) {
	var d Decision
	if figures := r.figures(); len(figures) > 0 {
		var err error
		if d, err = claim.Decide(figures); err != nil {
			r.Gates = append(r.Gates, verdict.Gate{Name: judgeable, Measured: err.Error(), Change: "use more orders or seeds, or look at what failed"})
			d = Decision{}
		}
	}
	r.Beside = nil
	for _, p := range verdict.Judge(nil, d.Beside...).Parts {
		p.Word = ""
		r.Beside = append(r.Beside, partReport(p))
	}
	r.say(verdict.Judge(r.Gates, d.Parts...))
}

// say takes a verdict over into the report.
func (r *Report) say(v verdict.Verdict) {
	r.verdict, r.Verdict, r.Why, r.Alone, r.Parts, r.Settle = v, v.Word, v.Why(), v.Alone, []PartReport{}, nil
	for _, p := range v.Parts {
		r.Parts = append(r.Parts, partReport(p))
	}
	if need, ok := v.Settle(); ok {
		r.Settle = &need
	}
}

func partReport(p verdict.Judged) PartReport {
	return PartReport{
		Name: p.Name, Value: finite(p.Estimate.Value), Low: finite(p.Low), High: finite(p.High), Infinite: math.IsInf(p.Estimate.Value, 0),
		N: p.Estimate.N, Unit: p.Estimate.Unit, Method: p.Estimate.Method, Want: p.Want.String(), Verdict: p.Word,
	}
}

// Failed lists the gates that failed.
func (r *Report) Failed() []verdict.Gate {
	var list []verdict.Gate
	for _, g := range r.Gates {
		if !g.Passed {
			list = append(list, g)
		}
	}
	return list
}
