package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// orphans checks a set of spans whose parents are missing.
func orphans(names ...string) lint.Result {
	var spans []journey.Span
	for i, name := range names {
		spans = append(spans, journey.Span{Trace: journey.TraceID{byte(len(name)), byte(i + 1)}, ID: journey.SpanID{9, byte(i)}, Parent: journey.SpanID{7, byte(len(names) + i)}, Service: "shop", Name: name, End: 5})
	}
	return lint.Check(journey.NewSet(spans))
}

// What an earlier report has is not new in other traces: ids differ there.
func TestKnownFindings(t *testing.T) {
	var report bytes.Buffer
	if err := orphans("work").WriteJSON(&report); err != nil {
		t.Fatal(err)
	}
	known, err := lint.ReadKnown(&report)
	if err != nil {
		t.Fatal(err)
	}
	if left, n := orphans("rest", "work", "work").New(known); left.Counts.Rules[journey.RuleOrphan] != 1 || n < 2 || !strings.Contains(left.Findings[0].Text, "rest") {
		t.Errorf("%d left out, %+v", n, left.Findings)
	}
	for _, text := range []string{"", "no JSON", `{"schema":"tracelab.journey/v1"}`} {
		if _, err := lint.ReadKnown(strings.NewReader(text)); !errors.Is(err, lint.ErrNoReport) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// 1,000 orphans of one span are one result for code scanning.
func TestSARIF(t *testing.T) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = "work"
	}
	var b bytes.Buffer
	if err := orphans(names...).WriteSARIF(&b, "traces.jsonl"); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID          string `json:"ruleId"`
				Level           string
				OccurrenceCount int `json:"occurrenceCount"`
				Locations       []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string } `json:"artifactLocation"`
					} `json:"physicalLocation"`
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	r := d.Runs[0].Results
	if d.Version != "2.1.0" || len(d.Runs[0].Tool.Driver.Rules) != len(lint.Rules()) || len(r) > 3 || r[0].RuleID != "P01" || r[0].Level != "error" || r[0].Locations[0].PhysicalLocation.ArtifactLocation.URI != "traces.jsonl" {
		t.Errorf("%d results: %+v", len(r), r)
	}
	if r[0].OccurrenceCount < 100 {
		t.Errorf("%d occurrences", r[0].OccurrenceCount)
	}
}

func TestCatalog(t *testing.T) {
	var b bytes.Buffer
	if err := lint.WriteRules(&b, format.Style{Width: 80}, lint.Rules()); err != nil {
		t.Fatal(err)
	}
	for _, rule := range lint.Rules() {
		if !strings.Contains(b.String(), "  "+string(rule.ID)+" ") {
			t.Errorf("%s is not listed", rule.ID)
		}
		var one bytes.Buffer
		if err := rule.Explain(&one, format.Style{Width: 80}); err != nil || !strings.Contains(one.String(), "fix: ") {
			t.Errorf("%s: %v, %s", rule.ID, err, one.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if len([]rune(strings.TrimSuffix(line, "\n"))) > 80 {
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
}
