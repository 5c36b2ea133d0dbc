package lint

import (
	"encoding/json"
	"io"

	"tracelab/journey"
)

// The parts of SARIF 2.1.0 that are written.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifDriver struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID          journey.RuleID `json:"id"`
	Description sarifText      `json:"shortDescription"`
	Help        sarifText      `json:"help"`
	Default     struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type sarifResult struct {
	Rule         journey.RuleID    `json:"ruleId"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Occurrences  int               `json:"occurrenceCount"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	} `json:"physicalLocation"`
	Logical []sarifLogical `json:"logicalLocations"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

// sarifLevel returns SARIF's word for a level.
func sarifLevel(l Level) string {
	switch l {
	case LevelError:
		return "error"
	case LevelWarning:
		return "warning"
	default:
		return "note"
	}
}

// WriteSARIF writes the result as SARIF 2.1.0, which code scanning reads. Findings with one fingerprint are one result, with
// their number; its location is the first one's span, in the file of that name.
func (r Result) WriteSARIF(w io.Writer, file string) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "tracelab lint", Rules: []sarifRule{}}
	for _, rule := range r.Rules {
		s := sarifRule{ID: rule.ID, Description: sarifText{rule.Finds}, Help: sarifText{rule.Fix}}
		s.Default.Level = sarifLevel(rule.Level)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, s)
	}
	at := make(map[string]int)
	for _, f := range r.Findings {
		print := f.Fingerprint()
		if i, ok := at[print]; ok {
			run.Results[i].Occurrences++
			continue
		}
		at[print] = len(run.Results)
		location := sarifLocation{Logical: []sarifLogical{{f.Trace.String() + "/" + f.Span.String(), "object"}}}
		location.Physical.Artifact.URI = file
		run.Results = append(run.Results, sarifResult{
			Rule: f.Rule, Level: sarifLevel(f.Level), Message: sarifText{f.Text + ". " + f.Fix}, Locations: []sarifLocation{location},
			Fingerprints: map[string]string{"tracelab/v1": print}, Occurrences: 1,
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
