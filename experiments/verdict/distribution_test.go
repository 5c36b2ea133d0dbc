package verdict

import (
	"math"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// Printed tables of Student's distribution, and far into the tails that a correction asks for.
func TestStudentQuantile(t *testing.T) {
	for _, c := range []struct{ beyond, freedom, want float64 }{
		{0.025, 1, 12.7062}, {0.025, 4, 2.7764}, {0.025, 9, 2.2622}, {0.025, 1e6, 1.96}, {0.05, 4, 2.1318}, {0.0005, 4, 8.6103}, {0.5, 4, 0}, {0.6, 4, 0},
	} {
		if got := studentQuantile(c.beyond, c.freedom); !near(got, c.want, 1e-4*c.want+1e-12) {
			t.Errorf("t of %g with %g degrees: %.5f, want %g", c.beyond, c.freedom, got, c.want)
		}
	}
	// Far out 3/t⁴ is what lies beyond t with 4 degrees.
	if got := studentQuantile(1e-9, 4); !near(got, math.Pow(3e9, 0.25), 0.05) {
		t.Errorf("far in the tail: %g", got)
	}
}

func TestBinomial(t *testing.T) {
	for _, n := range []int{1, 5, 30, 200} {
		for _, p := range []float64{0.01, 0.5, 0.95} {
			sum, term := 0.0, math.Pow(1-p, float64(n))
			for k := range n {
				if sum += term; !near(binomialAtMost(k, n, p), sum, 1e-9) {
					t.Errorf("P(X ≤ %d) of %d with %g: %g, want %g", k, n, p, binomialAtMost(k, n, p), sum)
				}
				term *= float64(n-k) / float64(k+1) * p / (1 - p)
			}
		}
	}
	if binomialAtMost(-1, 5, 0.5) != 0 || binomialAtMost(5, 5, 0.5) != 1 {
		t.Error("outside of its range")
	}
}
