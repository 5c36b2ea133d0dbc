package journey_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
	"tracelab/journey/internal/raced"
)

// judge computes everything that is computed for a journey.
func judge(set *journey.Set) {
	for _, j := range set.Journeys() {
		j.ResponsePath()
		j.CompletionPath()
		j.FanOut() // which computes Messages
		j.Tail()
		j.Detached()
		j.Depth()
		j.Errors()
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		spans := draw.Orders(n)
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(journey.NewSet(spans))
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

func BenchmarkJudgeLoaded(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		set := journey.NewSet(draw.Orders(n))
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(set)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

func BenchmarkShapes(b *testing.B) {
	all := draw.Shapes(1_000_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(journey.NewSet(all[name]))
			}
			b.ReportMetric(float64(len(all[name]))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

// Each shape in a size at which a quadratic cost would show as a test that does not end.
func TestLargeJourneys(t *testing.T) {
	raced.OneGoroutine(t)
	for name, spans := range draw.Shapes(30_000) {
		t.Run(name, func(t *testing.T) {
			set := journey.NewSet(spans)
			list := set.Journeys()
			if len(list) != 1 || len(list[0].Spans()) != len(spans) {
				t.Fatalf("%d journeys, the first with %d of %d spans", len(list), len(list[0].Spans()), len(spans))
			}
			judge(set)
			path := list[0].CompletionPath()
			var sum time.Duration
			for _, g := range path {
				sum += g.Duration()
			}
			if sum != list[0].Completion() {
				t.Errorf("the completion path adds up to %d, the completion is %d", sum, list[0].Completion())
			}
			if want := map[string]int{"siblings": 2*len(spans) - 2, "deep": 2*len(spans) - 1, "chain": 2*len(spans) - 1, "fan-out": 3, "batch": 2*len(spans) - 2}[name]; len(path) < want-2 || len(path) > want+2 {
				t.Errorf("the completion path has %d segments, want about %d", len(path), want)
			}
		})
	}
}

func BenchmarkWhatIf(b *testing.B) {
	all := draw.Shapes(100_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		j := journey.NewSet(all[name]).Journeys()[0]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j.WhatIf(func(i journey.Index) float64 { return float64(i % 2) })
			}
			b.ReportMetric(float64(len(all[name]))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}
