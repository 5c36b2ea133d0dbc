package report_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
	"tracelab/journey/internal/raced"
	"tracelab/journey/report"
)

// Text and pages of one huge journey stay as short as a person can read, whatever its shape.
func TestReportsOfHugeJourneysAreShort(t *testing.T) {
	raced.OneGoroutine(t)
	all := draw.Shapes(20_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := report.Journey{Of: journey.NewSet(all[name]).Journeys()[0]}
		var text, page bytes.Buffer
		if err := r.WriteText(&text, format.Style{}); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text.Bytes(), []byte("\n")); lines > 1500 || page.Len() > 1<<20 {
			t.Errorf("%s: the text has %d lines, the page %d bytes", name, lines, page.Len())
		}
	}
}

// What JSON needs beside the journey's own lists does not grow with it.
func TestJourneyJSONIsStreamed(t *testing.T) {
	raced.OneGoroutine(t)
	j := journey.NewSet(draw.Shapes(10_000)["siblings"]).Journeys()[0]
	var longest, all int
	if err := (report.Journey{Of: j}).WriteJSON(writerFunc(func(p []byte) (int, error) {
		longest, all = max(longest, len(p)), all+len(p)
		return len(p), nil
	})); err != nil {
		t.Fatal(err)
	}
	if longest > 1<<17 || all < 10*longest {
		t.Errorf("%d of %d bytes were written at once", longest, all)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
