package compare_test

import (
	"testing"

	"tracelab/journey/compare"
)

func TestDifferenceWords(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	tests := []struct {
		d    compare.Difference
		want string
	}{
		{compare.Difference{Measure: "m_ms", Paired: true, N: 25, Delta: f(-47.6), Low: f(-48.9), High: f(-46), Verdict: compare.VerdictLess}, "47.6 ms less (95 % interval: 46.0 ms to 48.9 ms, 25 pairs)"},
		{compare.Difference{Measure: "m_ms", N: 9, Delta: f(1), Low: f(0.5), High: f(2), Verdict: compare.VerdictMore}, "1.00 ms more (95 % interval: 500 µs to 2.00 ms, 9 journeys)"},
		{compare.Difference{Measure: "m_ms", Paired: true, N: 25, Delta: f(0), Low: f(0), High: f(0), Verdict: compare.VerdictNone}, "~ no difference (25 pairs)"},
		{compare.Difference{Measure: "m_ms", Paired: true, N: 25, Delta: f(0.01), Low: f(-2), High: f(1), Verdict: compare.VerdictNone}, "~ no difference shown: less than 2.00 ms apart (25 pairs)"},
		{compare.Difference{Measure: "m_ms", Paired: true, N: 25, Delta: f(0.5), Low: f(-1), High: f(1), Verdict: compare.VerdictNone}, "~ no difference shown: between 1.00 ms less and 1.00 ms more (25 pairs; 225 would show 500 µs more)"},
		{compare.Difference{Measure: "m_ms", Paired: true, N: 1, Delta: f(0), Verdict: compare.VerdictNone}, "~ no difference, with 1 of the 6 pairs that it takes to say"},
		{compare.Difference{Measure: "m_ms", Verdict: compare.VerdictNone}, "no values to compare"},
	}
	tests = append(tests, struct {
		d    compare.Difference
		want string
	}{compare.Difference{Measure: "hops", N: 9, Delta: f(2), Low: f(1), High: f(3.5), Verdict: compare.VerdictMore}, "2 more (95 % interval: 1 to 3.5, 9 journeys)"})
	for _, c := range tests {
		if got := c.d.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
