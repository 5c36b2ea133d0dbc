package compare_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tracelab/journey/compare"
	"tracelab/journey/internal/raced"
)

// A baseline that was saved and read gives the same verdicts as the journeys that it was made of.
func TestBaseline(t *testing.T) {
	base := mix(t, "base", "GET/a 30 10", "GET/b 50 10")
	other := mix(t, "other", "GET/a 30 20", "GET/b 50 10")
	var file bytes.Buffer
	if err := compare.NewBaseline(base, byNumber).Write(&file); err != nil {
		t.Fatal(err)
	}
	if !compare.IsBaseline(file.Bytes()) {
		t.Errorf("not known again: %.80s", file.String())
	}
	saved, err := compare.ReadBaseline(&file)
	if err != nil {
		t.Fatal(err)
	}
	gate := compare.Gate{Limits: []compare.Limit{{Measure: compare.Completion, Amount: compare.Amount{Share: true, Value: 0.05}}}}
	for _, opts := range [][]compare.Option{{byNumber}, nil} {
		want, got := compare.Groups([]compare.Group{base, other}, opts...), compare.Groups([]compare.Group{saved.Group(), other}, opts...)
		if w, g := fmt.Sprint(want.Differences), fmt.Sprint(got.Differences); w != g {
			t.Errorf("differences %s\nwant %s", g, w)
		}
		if got.Groups[0].Journeys != 80 || got.Groups[0].Spans != want.Groups[0].Spans || len(got.Groups[0].Structures) != len(want.Groups[0].Structures) || got.Nodes != nil {
			t.Errorf("the baseline as a group: %+v", got.Groups[0])
		}
		w, g := gate.Judge([]compare.Group{base, other}, opts...), gate.Judge([]compare.Group{saved.Group(), other}, opts...)
		for i := range w.Checks {
			if w.Checks[i].Words() != g.Checks[i].Words() || w.Checks[i].Outcome != g.Checks[i].Outcome {
				t.Errorf("check %s %s, want %s %s", g.Checks[i].Outcome, g.Checks[i].Words(), w.Checks[i].Outcome, w.Checks[i].Words())
			}
		}
	}
	if chosen := saved.KeepRoots("get/a"); len(chosen.Roots) != 1 || chosen.Roots[0].Root.Name != "GET/a" {
		t.Errorf("%+v", chosen.Roots)
	}
}

// Of very many journeys a sample is kept, of the same orders on both sides.
func TestBaselineIsBounded(t *testing.T) {
	raced.OneGoroutine(t)
	g := took("a", times(12_000, func(i int) float64 { return 10 + float64(i%7) })...)
	b := compare.NewBaseline(g, byNumber)
	if r := b.Roots[0]; r.Journeys != 12_000 || len(r.Keys) != 10_000 || len(r.Figures[compare.Completion]) != 10_000 || r.Summaries[compare.Completion].N != 12_000 {
		t.Errorf("%d journeys, %d keys, %d figures", r.Journeys, len(r.Keys), len(r.Figures[compare.Completion]))
	}
	c := compare.Groups([]compare.Group{b.Group(), compare.NewBaseline(took("b", times(12_000, func(int) float64 { return 20 })...), byNumber).Group()}, byNumber)
	if d := c.Differences[0]; !d.Paired || d.N != 10_000 {
		t.Errorf("%+v", d)
	}
}

func TestBaselineErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "unexpected end of JSON input",
		"{}":                                `schema "" is not tracelab.baseline/v1`,
		`{"schema":"tracelab.baseline/v9"}`: "save it again with this version",
		`{"schema":"tracelab.baseline/v1","roots":[{"journeys":2,"keys":[null,"a"],"figures":{"tail_ms":[1]}}]}`: "figures of tail_ms are of 1 journeys, keys of 2",
		`{"schema":"tracelab.baseline/v1","roots":[{"journeys":1,"keys":[null,"a"]}]}`:                           "1 journeys of 0 spans, and a sample of 2",
		`{"schema":"tracelab.baseline/v1","roots":[{"journeys":2,"keys":[null,"a"],"runs":[1],"figures":{}}]}`:   "runs of 1 journeys, keys of 2",
	} {
		if _, err := compare.ReadBaseline(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Whatever was read can be compared and written.
func FuzzReadBaseline(f *testing.F) {
	var file bytes.Buffer
	if err := compare.NewBaseline(took("a", 1, 2, 3, 4, 5, 6, 7), byNumber).Write(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte(`{"schema":"tracelab.baseline/v1","roots":[{"journeys":9,"keys":[null,"a"],"runs":[1,2],"figures":{"completion_ms":[null,1e308]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := compare.ReadBaseline(bytes.NewReader(text))
		if err != nil {
			return
		}
		other := took("b", 1, 2, 3, 4, 5, 6, 7)
		compare.Groups([]compare.Group{b.Group(), other}, byNumber)
		compare.Gate{Limits: []compare.Limit{{Measure: compare.Completion}}}.Judge([]compare.Group{other, b.Group()}, byNumber)
		if err := b.Write(new(bytes.Buffer)); err != nil {
			t.Errorf("%v", err)
		}
	})
}
