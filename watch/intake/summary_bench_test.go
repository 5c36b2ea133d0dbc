package intake_test

import (
	"testing"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/watch/summary"
)

// BenchmarkSummary is what comes after a verdict: the summary of the journey, and its line.
func BenchmarkSummary(b *testing.B) {
	const orders = 200
	for name, rel := range map[string]relation{"one trace": both, "linked traces": linking} {
		b.Run(name, func(b *testing.B) {
			var journeys []*journey.Journey
			for n := range orders { // each in a set of its own, as the actor of its root has it
				journeys = append(journeys, journey.NewSet(source.FromTraces(batchOf(n, 1, rel), "")).Journeys()...)
			}
			if len(journeys) != orders {
				b.Fatalf("%d journeys, want %d", len(journeys), orders)
			}
			spans, bytes := 0, 0
			before := cpuTime(b)
			for b.Loop() {
				spans, bytes = 0, 0
				for _, j := range journeys {
					s := summary.Of(j, "")
					spans, bytes = spans+s.Spans, bytes+len(s.JSON())
				}
			}
			b.ReportMetric(float64(spans)*float64(b.N)/(cpuTime(b)-before).Seconds(), "spans/cpu-s")
			b.ReportMetric(orders*float64(b.N)/(cpuTime(b)-before).Seconds(), "journeys/cpu-s")
			b.ReportMetric(float64(bytes)/orders, "B/journey")
			b.ReportMetric(0, "ns/op")
		})
	}
}
