package compare_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"tracelab/journey/compare"
)

// TestADoubtMarksWhatIsSaid of a group's times: the verdicts, a warning, and what a baseline is compared with.
func TestADoubtMarksWhatIsSaid(t *testing.T) {
	base, other := took("a", 10, 10, 10, 10, 10, 10, 10, 10), took("b", 20, 20, 20, 20, 20, 20, 20, 20)
	if c := compare.Groups([]compare.Group{base, other}); len(c.Warnings) != 0 || c.Differences[0].Doubtful || strings.Contains(c.Differences[0].String(), "(!)") {
		t.Errorf("without a doubt: %q, %v", c.Warnings, c.Differences[0])
	}
	base.Doubt = "starved"
	var saved bytes.Buffer
	if err := compare.NewBaseline(base).Write(&saved); err != nil {
		t.Fatal(err)
	}
	read, err := compare.ReadBaseline(&saved)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []compare.Group{base, read.Group()} {
		c := compare.Groups([]compare.Group{b, other})
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "starved") {
			t.Errorf("warnings %q, want one that says starved", c.Warnings)
		}
		for _, m := range c.Groups[0].Measures {
			if m.Summary != nil && !strings.HasSuffix(m.String(), " (!)") {
				t.Errorf("%s: want a mark", m)
			}
		}
		for _, m := range c.Groups[1].Measures {
			if strings.Contains(m.String(), "(!)") {
				t.Errorf("%s: want no mark", m)
			}
		}
		text, err := json.Marshal(c.Groups[0])
		if err != nil {
			t.Fatal(err)
		}
		var again compare.GroupSummary
		if err := json.Unmarshal(text, &again); err != nil || again.Doubt != "starved" || again.Measures[0].String() != c.Groups[0].Measures[0].String() {
			t.Errorf("read back from JSON: %v, %+v", err, again)
		}
		for _, d := range c.Differences {
			if !d.Doubtful || !strings.HasSuffix(d.String(), " (!)") {
				t.Errorf("%s: want a mark", d)
			}
		}
	}
}
