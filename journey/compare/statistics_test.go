package compare_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/perf/benchmath"

	"tracelab/journey/compare"
)

// benchmath narrows an interval by one value on one side where that still holds 95 %. Where its interval is symmetric, both
// must give the same; otherwise ours is wider by that one value.
func TestSummarizeAgreesWithBenchmath(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	same := 0
	for n := 1; n <= 30; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = random.ExpFloat64()
		}
		got := compare.Summarize(values)
		want := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
		if math.Abs(*got.Median-want.Center) > 1e-12 {
			t.Errorf("n=%d: median %v, benchmath %v", n, *got.Median, want.Center)
		}
		if (got.Low == nil) != (n < 6) || math.IsInf(want.Lo, 0) && got.Low != nil {
			t.Errorf("n=%d: interval %v, benchmath %v", n, got.Low, want.Lo)
		}
		if got.Low == nil {
			continue
		}
		slices.Sort(values)
		below := slices.Index(values, want.Lo) - slices.Index(values, *got.Low)
		above := slices.Index(values, *got.High) - slices.Index(values, want.Hi)
		if below+above < 0 || below+above > 1 || below < 0 || above < 0 {
			t.Errorf("n=%d: interval [%v,%v], benchmath [%v,%v]", n, *got.Low, *got.High, want.Lo, want.Hi)
		}
		if below+above == 0 {
			same++
		}
	}
	if same < 5 {
		t.Errorf("only %d sizes could be compared", same)
	}
}

// The confidence of the interval, counted: in at least 95 % of samples it holds the true median.
func TestIntervalHoldsTheMedian(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{6, 25, 101, 400} {
		const samples = 2000
		hit := 0
		for range samples {
			values := make([]float64, n)
			for i := range values {
				values[i] = random.ExpFloat64()
			}
			if s := compare.Summarize(values); *s.Low <= math.Ln2 && math.Ln2 <= *s.High {
				hit++
			}
		}
		if hit < samples*94/100 || n >= 100 && hit > samples*98/100 {
			t.Errorf("n=%d: %d of %d intervals hold the median", n, hit, samples)
		}
	}
}

// Likewise for the difference of two medians.
func TestUnpairedIntervalHoldsTheDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const samples, n = 2000, 40
	hit := 0
	for range samples {
		base, other := make([]float64, n), make([]float64, n+10)
		for i := range base {
			base[i] = random.ExpFloat64()
		}
		for i := range other {
			other[i] = 3 * random.ExpFloat64()
		}
		if d := compare.Unpaired(base, other); *d.Low <= 2*math.Ln2 && 2*math.Ln2 <= *d.High {
			hit++
		}
	}
	if hit < samples*94/100 || hit > samples*99/100 {
		t.Errorf("%d of %d intervals hold the difference", hit, samples)
	}
}

func TestPercentilesNeedEnoughValues(t *testing.T) {
	values := make([]float64, 0, 200)
	for n := 1; n <= 200; n++ {
		values = append(values, float64(n))
		s := compare.Summarize(values)
		if (s.P95 != nil) != (n >= 20) || (s.P99 != nil) != (n >= 100) {
			t.Errorf("n=%d: p95 %v, p99 %v", n, s.P95, s.P99)
		}
		if n == 20 && *s.P95 != 19 || n == 200 && (*s.P95 != 190 || *s.P99 != 198) {
			t.Errorf("n=%d: p95 %v, p99 %v", n, *s.P95, s.P99)
		}
	}
	if s := compare.Summarize(nil); s.N != 0 || s.Median != nil {
		t.Errorf("of no values: %+v", s)
	}
}

func TestSummarizeLeavesItsInputAlone(t *testing.T) {
	values := []float64{3, 1, 2}
	if s := compare.Summarize(values); *s.Median != 2 || values[0] != 3 {
		t.Errorf("median %v, values now %v", *s.Median, values)
	}
}

func TestVerdicts(t *testing.T) {
	base := []float64{10, 20, 30, 40, 50, 60}
	add := func(v ...float64) []float64 {
		other := make([]float64, len(v))
		for i := range v {
			other[i] = base[i] + v[i]
		}
		return other
	}
	tests := []struct {
		why   string
		other []float64
		delta float64
		want  compare.Verdict
	}{
		{"all less, though the spread is far greater than the difference", add(-1, -2, -3, -1, -2, -3), -2, compare.VerdictLess},
		{"all more", add(1, 2, 3, 1, 2, 3), 2, compare.VerdictMore},
		{"the interval includes 0", add(-1, 1, 2, 3, 4, 5), 2.5, compare.VerdictNone},
		{"the interval touches 0", add(0, 1, 2, 3, 4, 5), 2.5, compare.VerdictNone},
		{"the interval touches 0 from below", add(0, -1, -2, -3, -4, -5), -2.5, compare.VerdictNone},
		{"five pairs are too few", add(1, 2, 3, 4, 5), 3, compare.VerdictNone},
	}
	for _, c := range tests {
		d := compare.Paired(base, c.other)
		if d.Verdict != c.want || *d.Delta != c.delta || d.N != len(c.other) || !d.Paired {
			t.Errorf("%s: %+v, delta %v; want %v, %v", c.why, d, *d.Delta, c.want, c.delta)
		}
	}
	if d := compare.Unpaired(base, add(100, 100, 100, 100, 100, 100)); d.Verdict != compare.VerdictMore || *d.Delta != 100 || d.Paired {
		t.Errorf("unpaired: %+v", d)
	}
	if d := compare.Unpaired(nil, base); d.Verdict != compare.VerdictNone || d.Delta != nil {
		t.Errorf("against nothing: %+v", d)
	}
}

// By hand: medians 3.5 and 102.5 with intervals [1,20] and [100,120]; each side of the difference joins the distances that
// make it less or more.
func TestUnpairedInterval(t *testing.T) {
	d := compare.Unpaired([]float64{1, 2, 3, 4, 5, 20}, []float64{120, 100, 101, 102, 103, 104})
	low, high := 99-math.Sqrt(2.5*2.5+16.5*16.5), 99+math.Sqrt(17.5*17.5+2.5*2.5)
	if math.Abs(*d.Low-low) > 1e-12 || math.Abs(*d.High-high) > 1e-12 || *d.Delta != 99 || d.N != 6 || d.Verdict != compare.VerdictMore {
		t.Errorf("%+v [%v,%v], want 99 [%v,%v]", d, *d.Low, *d.High, low, high)
	}
}

// What would settle a difference: by the root rule, and nothing where there is nothing to settle.
func TestEnough(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	tests := []struct {
		why  string
		d    compare.Difference
		want int
	}{
		{"the low bound is twice as far as 0: four times as many", compare.Difference{N: 25, Delta: f(1), Low: f(-1), High: f(9), Verdict: compare.VerdictNone}, 100},
		{"likewise downwards", compare.Difference{N: 25, Delta: f(-1), Low: f(-9), High: f(2), Verdict: compare.VerdictNone}, 225},
		{"the bound touches 0: one more", compare.Difference{N: 25, Delta: f(1), Low: f(0), High: f(2), Verdict: compare.VerdictNone}, 26},
		{"too few for an interval", compare.Difference{N: 2, Delta: f(1), Verdict: compare.VerdictNone}, 6},
		{"there is a verdict", compare.Difference{N: 25, Delta: f(1), Low: f(0.5), High: f(2), Verdict: compare.VerdictMore}, 0},
		{"no difference at all", compare.Difference{N: 25, Delta: f(0), Low: f(-1), High: f(1), Verdict: compare.VerdictNone}, 0},
		{"no values", compare.Difference{Verdict: compare.VerdictNone}, 0},
	}
	for _, c := range tests {
		if got, ok := c.d.Enough(); got != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %d, %v; want %d", c.why, got, ok, c.want)
		}
	}
}
