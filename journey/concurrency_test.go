package journey_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
)

func TestConcurrency(t *testing.T) {
	tests := []struct {
		why, drawing string
		mean         float64
		most         int
	}{
		{"calls in a row, nested", "P 0-100\n  A 10-50\n    B 20-40\n  C 50-90", 1, 1},
		{"two calls side by side for half of the time", "P 0-100\n  A 0-100\n  B 50-100", 1.5, 2},
		{"three branches behind a message, nothing while they wait", "S 0-10\n  P PRODUCER 9-10\n    A CONSUMER 50-60\n    B CONSUMER 50-60\n    C CONSUMER 50-70", 50.0 / 30, 3},
		{"a span without length", "P 5-5", 0, 0},
		{"an earlier call that contains a later one", "P 0-10\n  A 1-9\n  B 2-3", 1.1, 2},
	}
	for _, c := range tests {
		mean, most := newSet(t, c.drawing).Journeys()[0].Concurrency()
		if math.Abs(mean-c.mean) > 1e-9 || most != c.most {
			t.Errorf("%s: %v, at most %d; want %v, %d", c.why, mean, most, c.mean, c.most)
		}
	}
}

func TestConcurrencyIsAtLeastOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journey.NewSet(anySpans(t)).Journeys() {
			if mean, most := j.Concurrency(); mean != 0 && (mean < 1 || mean > float64(most)) || most > len(j.Spans()) {
				t.Fatalf("mean %v, at most %d of %d spans", mean, most, len(j.Spans()))
			}
		}
	})
}
