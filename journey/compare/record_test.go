package compare_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// recordOf keeps of a journey what a Record has.
func recordOf(j *journey.Journey) compare.Record {
	r := compare.Record{Root: compare.RootOf(j), Trace: j.Traces()[0].String(), Spans: j.Len(), Figures: map[string]float64{}}
	r.Signature, r.Nodes = compare.StructureOf(j)
	for _, m := range compare.Measures() {
		if v, ok := m.Of(j); ok {
			r.Figures[m.Name] = v
		}
	}
	return r
}

// TestRecordsAreABaseline has the same figures and structures of records as of their journeys.
func TestRecordsAreABaseline(t *testing.T) {
	for _, g := range formGroups(t, 30) {
		var records []compare.Record
		for _, j := range g.Journeys {
			records = append(records, recordOf(j))
		}
		got, want := compare.NewBaselineOf(g.Name, records), compare.NewBaseline(g)
		for k := range got.Roots {
			a, b := &got.Roots[k], &want.Roots[k]
			for i := range b.Structures { // what records do not have
				b.Structures[i].More, b.Structures[i].Less, b.Structures[i].Joined, b.Structures[i].Moved = []string{}, []string{}, nil, nil
			}
			if len(a.Structures) != len(b.Structures) || a.Structures[0].Signature != b.Structures[0].Signature || a.Journeys != b.Journeys || a.Root != b.Root {
				t.Errorf("%s: root %v with %d of %+v, want %v with %d of %+v", g.Name, a.Root, a.Journeys, a.Structures, b.Root, b.Journeys, b.Structures)
			}
			for _, x := range []struct{ got, want any }{{a.Figures, b.Figures}, {a.Summaries, b.Summaries}} {
				if g, w := text(t, x.got), text(t, x.want); g != w {
					t.Errorf("figures\n%s\nwant\n%s", g, w)
				}
			}
		}
		var file bytes.Buffer
		if err := got.Write(&file); err != nil {
			t.Fatal(err)
		}
		if _, err := compare.ReadBaseline(&file); err != nil {
			t.Error(err)
		}
		for _, groups := range [][]compare.Group{{g, got.Group()}, {got.Group(), g}, {got.Group(), got.Group()}} {
			for _, d := range compare.Groups(groups).Differences {
				if d.Delta == nil || *d.Delta != 0 {
					t.Errorf("%s differs from itself: %+v", d.Measure, d)
				}
			}
		}
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRecordsSayHowTheyWereSampled: records of different weights have no interval, and incomplete ones are in no figure.
func TestRecordsSayHowTheyWereSampled(t *testing.T) {
	root := compare.Root{Service: "gateway", Name: "POST /orders"}
	record := func(weight *float64, incomplete string, completion float64) compare.Record {
		return compare.Record{Root: root, Trace: "01", Spans: 3, Figures: map[string]float64{compare.Completion: completion}, Signature: "00000000000000aa", Nodes: 2, Weight: weight, Incomplete: incomplete}
	}
	b := compare.NewBaselineOf("x", []compare.Record{record(new(1.0), "", 5), record(new(3.0), "", 7), record(nil, "a parent is missing (P01)", 1), record(new(1.0), "", math.NaN())})
	r := b.Roots[0]
	if r.Journeys != 3 || len(r.LeftOut) != 1 || r.NoInterval == "" || len(r.Weights) != 3 || r.Spans != 9 || r.Structures[0].Share != 1 || r.Summaries[compare.Completion].N != 2 {
		t.Errorf("%+v", r)
	}
	tail := compare.NewBaselineOf("x", []compare.Record{{Root: root, Trace: "01", TailMark: true}})
	if tail.Roots[0].NoInterval == "" || tail.Roots[0].Weights != nil || tail.Roots[0].Summaries[compare.Completion] != nil {
		t.Errorf("%+v", tail.Roots[0])
	}
}
