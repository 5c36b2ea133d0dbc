package report

import (
	"io"
	"iter"
	"slices"

	"tracelab/journey/compare"
	"tracelab/journey/predict"
)

type turnedDocument struct {
	Hop  string          `json:"hop"`
	From predict.Carrier `json:"from"` // empty for the caller's own work, which comes back by a message
	To   predict.Carrier `json:"to"`
	N    int             `json:"n"`
}

type constantDocument struct {
	Value  *float64 `json:"value"` // milliseconds; null when nothing tells
	Source string   `json:"source"`
	N      int      `json:"n"`
	Used   bool     `json:"used"`
}

type constantsDocument struct {
	Publish  constantDocument `json:"publish_ms"`
	Delivery constantDocument `json:"delivery_ms"`
	Call     constantDocument `json:"call_ms"`
}

type timesDocument struct {
	CallerWait *compare.Summary `json:"caller_wait_ms"`
	Completion *compare.Summary `json:"completion_ms"`
	Tail       *compare.Summary `json:"tail_ms"`
}

type residualsDocument struct {
	Of         string            `json:"of"` // the set that was measured
	CallerWait *predict.Residual `json:"caller_wait_ms"`
	Completion *predict.Residual `json:"completion_ms"`
	Tail       *predict.Residual `json:"tail_ms"`
}

// WriteJSON writes the prediction as tracelab.predict/v1. The members checked and residuals are there with a Check only.
func (r Prediction) WriteJSON(w io.Writer) error {
	o := newObjectStream(w)
	o.member("schema", PredictSchema)
	o.member("journeys", len(r.Of.Journeys))
	o.member("incomplete", r.Of.Incomplete)
	list(o, "turned", func(yield func(turnedDocument) bool) {
		for _, t := range r.Of.Turned {
			if !yield(turnedDocument(t)) {
				return
			}
		}
	})
	c := r.Of.Constants
	o.member("constants", constantsDocument{documentOf(c.Publish), documentOf(c.Delivery), documentOf(c.Call)})
	o.member("measured", timesDocument(r.Of.Measured))
	o.member("predicted", timesDocument(r.Of.Predicted))
	list(o, "changes", slices.Values(r.changes()))
	if r.Of.Roots != nil {
		list(o, "roots", r.rootDocuments())
	}
	if r.Check != nil {
		o.member("checked", timesDocument(r.Check.Measured))
		o.member("residuals", residualsOf(r.Check.Name, r.Check.Residuals))
		o.member("checked_incomplete", r.Check.Incomplete)
	}
	list(o, "warnings", slices.Values(r.allWarnings()))
	if len(r.About) > 0 {
		list(o, "about", slices.Values(r.About))
	}
	return o.close()
}

func documentOf(c predict.Constant) constantDocument {
	d := constantDocument{Source: c.Source, N: c.N, Used: c.Used}
	if c.Source != "" {
		d.Value = new(float64(c.Value) / 1e6)
	}
	return d
}

// predictedRoot is what is predicted of the journeys of one root.
type predictedRoot struct {
	Root      string             `json:"root"`
	Journeys  int                `json:"journeys"`
	Measured  timesDocument      `json:"measured"`
	Predicted timesDocument      `json:"predicted"`
	Checked   *timesDocument     `json:"checked,omitempty"`
	Residuals *residualsDocument `json:"residuals,omitempty"`
}

func (r Prediction) rootDocuments() iter.Seq[predictedRoot] {
	return func(yield func(predictedRoot) bool) {
		for i, x := range r.Of.Roots {
			d := predictedRoot{Root: x.Root.String(), Journeys: x.Journeys, Measured: timesDocument(x.Measured), Predicted: timesDocument(x.Predicted)}
			if r.Check != nil && i < len(r.Check.Roots) {
				d.Checked = new(timesDocument(r.Check.Roots[i].Measured))
				d.Residuals = new(residualsOf(r.Check.Name, r.Check.Roots[i].Residuals))
			}
			if !yield(d) {
				return
			}
		}
	}
}

func residualsOf(name string, residuals []predict.Residual) residualsDocument {
	d := residualsDocument{Of: name}
	for i := range residuals {
		switch x := &residuals[i]; x.Measure {
		case compare.CallerWait:
			d.CallerWait = x
		case compare.Completion:
			d.Completion = x
		case compare.Tail:
			d.Tail = x
		}
	}
	return d
}

func checkWarnings(c *predict.Check) []string {
	if c == nil {
		return nil
	}
	return c.Warnings
}
