package lint

import (
	"encoding/json"
	"io"

	"tracelab/journey"
)

// Schema names the JSON document. Fields are added to a version, never renamed.
const Schema = "tracelab.lint/v1"

type document struct {
	Schema      string            `json:"schema"`
	Conventions string            `json:"conventions"`
	Findings    []findingDocument `json:"findings"`
	Counts      countsDocument    `json:"counts"`
	Warnings    []warningDocument `json:"warnings"`
}

type findingDocument struct {
	Rule  journey.RuleID `json:"rule"`
	Level string         `json:"level"`
	Trace string         `json:"trace"`
	Span  string         `json:"span"`
	Text  string         `json:"text"`
	Fix   string         `json:"fix"`
}

type warningDocument struct {
	Rule journey.RuleID `json:"rule"`
	Text string         `json:"text"`
	More int            `json:"more,omitempty"` // how many more warnings of its rule it stands for
}

type countsDocument struct {
	Error   int                    `json:"error"`
	Warning int                    `json:"warning"`
	Advice  int                    `json:"advice"`
	Rules   map[journey.RuleID]int `json:"rules"`
}

// WriteJSON writes the result as tracelab.lint/v1: the findings in order, ids in lower-case hexadecimal, and counts by level
// and by rule.
func (r Result) WriteJSON(w io.Writer) error {
	d := document{
		Schema: Schema, Conventions: Conventions, Findings: make([]findingDocument, len(r.Findings)),
		Counts: countsDocument{r.Counts.Error, r.Counts.Warning, r.Counts.Advice, r.Counts.Rules},
	}
	d.Warnings = make([]warningDocument, len(r.Warnings))
	for i, w := range r.Warnings {
		d.Warnings[i] = warningDocument{w.Rule, w.Text, w.More}
	}
	if d.Counts.Rules == nil {
		d.Counts.Rules = map[journey.RuleID]int{}
	}
	for i, f := range r.Findings {
		d.Findings[i] = findingDocument{f.Rule, f.Level.String(), f.Trace.String(), f.Span.String(), f.Text, f.Fix}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
