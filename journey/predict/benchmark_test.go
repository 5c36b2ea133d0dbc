package predict

import (
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// BenchmarkPredict turns every message of orders of 21 spans into a call: 100,000 spans.
func BenchmarkPredict(b *testing.B) {
	set := journey.NewSet(draw.Orders(100_000))
	journeys := set.Journeys()
	var names []string
	for _, h := range Hops(journeys) {
		if h.Carrier == Message {
			names = append(names, h.Name)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Predict(journeys, ToCall(names...)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(set.Len())*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
}

// BenchmarkPredictOneJourney turns all calls of one journey of 100,000 spans, side by side and one within the other.
func BenchmarkPredictOneJourney(b *testing.B) {
	for name, spans := range draw.Shapes(100_000) {
		for i := range spans { // each of another service than its caller
			spans[i].Service = [...]string{"a", "b"}[i%2]
			spans[i].Kind = journey.KindServer
		}
		journeys := journey.NewSet(spans).Journeys()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s := newSurvey(journeys)
				p := newPlan(journeys[0], s.kind(journeys[0]))
				turn(s, p, Message, someCosts())
				p.replay()
			}
		})
	}
}
