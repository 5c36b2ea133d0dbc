package report_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/report"
)

// Measures of one's own stand beside the others in every output, with a unit or without; what is no number is no figure.
func TestOwnMeasures(t *testing.T) {
	groups := []compare.Group{
		{Name: "call", Journeys: journeys(t, "s.in SERVER 0-9\n  w.Do SERVER 2-7")},
		{Name: "message", Journeys: journeys(t, "s.in SERVER 0-4\n  s.send PRODUCER 1-3 topic=t\n    w.Do CONSUMER 5-9 op=process topic=t group=w")},
	}
	c := compare.Groups(groups, compare.WithMeasures(append(compare.Measures(),
		compare.Measure{Name: "hops", Of: func(j *journey.Journey) (float64, bool) { return float64(j.Depth().Hops), true }},
		compare.Measure{Name: "queue_share_ms", Of: func(*journey.Journey) (float64, bool) { return math.NaN(), true }},
	)...))
	var text, page, doc bytes.Buffer
	r := report.Comparison{Of: c}
	if err := r.WriteText(&text, format.Style{Width: 200}); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteJSON(&doc); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"queue wait  hops  queue share", "hops         ~ no difference, with 1 of the 6 journeys"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("no %q in\n%s", part, text.String())
		}
	}
	if !strings.Contains(page.String(), "hops") || !strings.Contains(doc.String(), `"hops": {`) || !strings.Contains(doc.String(), `"queue_share_ms": null`) {
		t.Errorf("page or JSON without the measure:\n%s", doc.String())
	}
	var read struct{ Groups []compare.GroupSummary }
	if err := json.Unmarshal(doc.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c.Groups, read.Groups, cmpopts.IgnoreFields(compare.GroupSummary{}, "Example"), cmpopts.IgnoreFields(compare.MeasureSummary{}, "Values", "Lacking")); d != "" {
		t.Errorf("read again (-written +read):\n%s", d)
	}
	var again bytes.Buffer
	if err := (report.Comparison{Of: compare.Comparison{Groups: read.Groups, Differences: c.Differences, Nodes: c.Nodes}}).WriteJSON(&again); err != nil || again.String() != doc.String() {
		t.Errorf("written again: %v\n%s", err, cmp.Diff(doc.String(), again.String()))
	}
}
