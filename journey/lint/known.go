package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"tracelab/journey"
)

// Known has the findings of an earlier check, by their fingerprints.
type Known map[string]bool

// ErrNoReport reports text that Result.WriteJSON did not write.
var ErrNoReport = errors.New("it is no report of lint")

// ReadKnown reads the findings of a result that WriteJSON wrote. The error is ErrNoReport for JSON of another kind.
func ReadKnown(r io.Reader) (Known, error) {
	var d document
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	if d.Schema != Schema {
		return nil, ErrNoReport
	}
	known := make(Known, len(d.Findings))
	for _, f := range d.Findings {
		known[fingerprint(f.Rule, f.Text)] = true
	}
	return known, nil
}

// numbers are what differs from one set of traces to another: ids, and figures with their units.
var numbers = regexp.MustCompile(`\b[0-9a-f]*[0-9][0-9a-f]*\b([.,][0-9]+)?( (ns|µs|ms|s)\b)?`)

// fingerprint returns the rule and the text of a finding, without ids and numbers.
func fingerprint(rule journey.RuleID, text string) string {
	return string(rule) + " " + numbers.ReplaceAllString(text, "#")
}

// Fingerprint returns the finding's rule and text without ids and numbers. It is equal for the same fault in other traces.
func (f Finding) Fingerprint() string { return fingerprint(f.Rule, f.Text) }

// New returns the result without the findings that are known, and how many were left out.
func (r Result) New(known Known) (result Result, leftOut int) {
	result = r
	result.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return known[f.Fingerprint()] })
	result.Counts = countFindings(result.Findings)
	return result, len(r.Findings) - len(result.Findings)
}

// countFindings counts by level and by rule.
func countFindings(findings []Finding) Counts {
	counts := Counts{Rules: map[journey.RuleID]int{}}
	for _, f := range findings {
		counts.Rules[f.Rule]++
		switch f.Level {
		case LevelError:
			counts.Error++
		case LevelWarning:
			counts.Warning++
		default:
			counts.Advice++
		}
	}
	return counts
}
