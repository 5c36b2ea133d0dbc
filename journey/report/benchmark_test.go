package report_test

import (
	"io"
	"maps"
	"slices"
	"testing"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
	"tracelab/journey/report"
)

// One journey of a million spans, in each shape: what it takes to write it, once it is judged.
func BenchmarkJourney(b *testing.B) {
	all := draw.Shapes(1_000_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := report.Journey{Of: journey.NewSet(all[name]).Journeys()[0]}
		delete(all, name)
		for format, write := range map[string]func() error{
			"text": func() error { return r.WriteText(io.Discard, format.Style{}) },
			"JSON": func() error { return r.WriteJSON(io.Discard) },
			"HTML": func() error { return r.WriteHTML(io.Discard) },
		} {
			b.Run(name+"/"+format, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := write(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
