package compare_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/internal/draw"
)

// One half of the orders against the other: trees, pairing and intervals of all nodes.
func BenchmarkNodes(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		all := journey.NewSet(draw.Orders(n)).Journeys()
		groups := []compare.Group{{Name: "a", Journeys: all[:len(all)/2]}, {Name: "b", Journeys: all[len(all)/2:]}}
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compare.Nodes(groups)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

// One half of the orders against the other, as `compare` does: of one root, and of 10,000.
func BenchmarkGroups(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		for _, roots := range []int{1, 10_000} {
			spans := draw.Orders(n)
			for i := range spans {
				if spans[i].Parent.IsZero() && len(spans[i].Links) == 0 && roots > 1 {
					spans[i].Name += fmt.Sprintf(" of x%dy", i%roots)
				}
			}
			all := journey.NewSet(spans).Journeys()
			groups := []compare.Group{{Name: "a", Journeys: all[:len(all)/2]}, {Name: "b", Journeys: all[len(all)/2:]}}
			b.Run(fmt.Sprintf("spans=%d/roots=%d", n, roots), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					compare.Groups(groups)
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
			})
		}
	}
}

// Journeys of one shape each, against themselves: as many places as spans, at worst.
func BenchmarkNodesOfShapes(b *testing.B) {
	all := draw.Shapes(100_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g := compare.Group{Name: name, Journeys: journey.NewSet(all[name]).Journeys()}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compare.Nodes([]compare.Group{g, g})
			}
			b.ReportMetric(float64(len(all[name]))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}
