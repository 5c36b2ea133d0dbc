package report

import (
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
)

// TestStarvedTimeIsPartOfItsRow: what had no CPU is drawn as that in the bar of the work that it interrupts, as much of it as there was, and is no row of its
// own. Gaps that are shorter than a column add up.
func TestStarvedTimeIsPartOfItsRow(t *testing.T) {
	spans, err := draw.Spans("S 0-1000\n  A 0-400\n  B 400-1000")
	if err != nil {
		t.Fatal(err)
	}
	start := journey.NewSet(spans).Journeys()[0].Start()
	at := func(from, to int64) journey.Period { return journey.Period{From: start + from*1e6, To: start + to*1e6} }
	short := make([]journey.Period, 30) // half of B, 10 of 20 ms each
	for i := range short {
		short[i] = at(400+20*int64(i), 410+20*int64(i))
	}
	for _, c := range []struct {
		name     string
		periods  []journey.Period
		a, b     float64 // the share of each that is starved
		segments string
	}{
		{"never", nil, 0, 0, "in 2 segments"},
		{"half of one", []journey.Period{at(0, 200)}, 0.5, 0, "in 2 segments"},
		{"over both", []journey.Period{at(300, 700)}, 0.25, 0.5, "in 2 segments"},
		{"short gaps", short, 0, 0.5, "in 2 segments"},
		{"always", []journey.Period{at(-10, 2000)}, 1, 1, "in 2 segments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := journey.NewSet(spans, journey.Starved(c.periods...)).Journeys()[0]
			var b strings.Builder
			if err := (Bars{Title: "t", Set: j.Set(), Path: j.CompletionPath()}).WriteText(&b, format.Style{Width: 100}); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(b.String(), "\n")
			if !strings.Contains(lines[0], c.segments) {
				t.Errorf("%q, want %q", lines[0], c.segments)
			}
			for row, want := range []float64{c.a, c.b} {
				idle, work := strings.Count(lines[2+row], "×"), strings.Count(lines[2+row], "█")
				if got := float64(idle) / float64(idle+work); got < want-0.04 || got > want+0.04 {
					t.Errorf("row %q: %.2f of it is starved, want %.2f", lines[2+row], got, want)
				}
			}
			if got, want := strings.Contains(b.String(), "× no CPU"), c.a+c.b > 0; got != want {
				t.Errorf("the legend names it: %v, want %v", got, want)
			}
		})
	}
}
