package compare_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/internal/draw"
)

// A value that stands for n counts as n values would, also when that is none.
func TestWeightsCountAsCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f compare.Figures
		for range rapid.IntRange(1, 150).Draw(t, "values") {
			f.Values = append(f.Values, float64(rapid.IntRange(0, 30).Draw(t, "value")))
			f.Weights = append(f.Weights, float64(rapid.IntRange(0, 4).Draw(t, "weight")))
		}
		countAsCopies(t, f)
	})
}

// A percentile of twenty values of which fewer stand for any would be the greatest of these.
func TestPercentilesNeedValuesThatCount(t *testing.T) {
	for _, c := range []struct{ counted, others int }{{1, 19}, {19, 1}, {20, 0}, {20, 1}, {99, 1}, {100, 0}, {0, 20}, {0, 100}} {
		var f compare.Figures
		for i := range c.counted + c.others {
			f.Values = append(f.Values, float64(i))
		}
		f.Weights = slices.Concat(make([]float64, c.others), slices.Repeat([]float64{1}, c.counted))
		countAsCopies(t, f)
	}
}

// countAsCopies compares what is said of figures with what is said of each value as many times as it stands for.
func countAsCopies(t rapid.TB, f compare.Figures) {
	t.Helper()
	var copies []float64
	counted := 0
	for i, v := range f.Values {
		copies = append(copies, slices.Repeat([]float64{v}, int(f.Weights[i]))...)
		if f.Weights[i] > 0 {
			counted++
		}
	}
	if counted == 0 { // no value stands for any: each counts once
		copies, counted = f.Values, len(f.Values)
	}
	got, want := f.Summarize(), compare.Summarize(copies)
	if *got.Median != *want.Median {
		t.Fatalf("median %v, of the copies %v", *got.Median, *want.Median)
	}
	if (got.P95 != nil) != (counted >= 20) || (got.P99 != nil) != (counted >= 100) {
		t.Fatalf("p95 %v, p99 %v of %d values that count", got.P95, got.P99, counted)
	}
	if got.P95 != nil && *got.P95 != *want.P95 || got.P99 != nil && *got.P99 != *want.P99 {
		t.Fatalf("p95 %v, p99 %v, of the copies %v, %v", got.P95, got.P99, *want.P95, *want.P99)
	}
	if got.N != len(f.Values) || got.Low != nil || got.High != nil {
		t.Fatalf("%d values, interval %v to %v", got.N, got.Low, got.High)
	}
}

// sampledOrders draws orders that take 10, 20, 30, … ms, of which each has a sampler's threshold.
func sampledOrders(t *testing.T, name string, thresholds ...string) compare.Group {
	t.Helper()
	var spans []journey.Span
	for k, threshold := range thresholds {
		one, err := draw.Spans("s.in SERVER 0-" + string(rune('1'+k)) + "0\n  s.work 0-5")
		if err != nil {
			t.Fatal(err)
		}
		for i := range one {
			one[i].Trace[0] = byte(k + 1)
			one[i].TraceState = threshold
			one[i].Attributes = append(one[i].Attributes, journey.Attribute{Key: "order", Value: journey.IntValue(int64(k))})
		}
		spans = append(spans, one...)
	}
	return compare.Group{Name: name, Journeys: journey.NewSet(spans).Journeys()}
}

// Where journeys stand for different numbers of journeys, medians, means and shares go by these, and nothing is claimed.
func TestSampledJourneysHaveNoInterval(t *testing.T) {
	base := sampledOrders(t, "base", "", "", "", "", "", "", "")
	other := sampledOrders(t, "other", "", "", "", "", "", "", "ot=th:f") // the last, of 70 ms, stands for 16 of 22
	for _, paired := range []bool{false, true} {
		var options []compare.Option
		if paired {
			options = append(options, compare.WithPairs(compare.ByAttribute("order")))
		}
		c := compare.Groups([]compare.Group{base, other}, options...)
		s := c.Groups[1].Of(compare.Completion)
		if *s.Median != 70 || s.Low != nil || c.Groups[0].Of(compare.Completion).Low == nil {
			t.Errorf("median %v, interval from %v; the base's from %v", *s.Median, s.Low, c.Groups[0].Of(compare.Completion).Low)
		}
		for _, d := range c.Differences {
			if d.Verdict != compare.VerdictNone || d.Low != nil || !strings.Contains(d.Reason, "different weights") {
				t.Errorf("%+v", d)
			}
			want := map[bool]float64{true: 0, false: 30}[paired] // each order takes as long as its twin
			if d.Measure == compare.Completion && *d.Delta != want {
				t.Errorf("paired %v: a difference of %v, want %v", paired, *d.Delta, want)
			}
		}
		mean := 0.0
		for _, n := range c.Nodes {
			if n.Change != compare.ChangeSame {
				t.Errorf("%s is called %s", n.Name, n.Change)
			}
			mean += n.Groups[1].Path.Completion.Mean
		}
		if want := (10 + 20 + 30 + 40 + 50 + 60 + 16*70) / 22.0 * 1e6; math.Abs(mean-want) > 1 {
			t.Errorf("the nodes' means add up to %v, the weighted mean is %v", mean, want)
		}
		limit, err := compare.ParseLimit("completion>5%")
		if err != nil {
			t.Fatal(err)
		}
		if j := (compare.Gate{Limits: []compare.Limit{limit}}).Judge([]compare.Group{base, other}, options...); j.Outcome() != compare.OutcomeUndecided || !strings.Contains(j.Checks[0].Reason, "different weights") {
			t.Errorf("a gate says %s: %+v", j.Outcome(), j.Checks)
		}
		saved := compare.NewBaseline(other, options...).Group()
		if d, _ := compare.Differences(saved, base, options...); d[0].Reason == "" {
			t.Errorf("a baseline of it has an interval: %+v", d[0])
		}
	}
	none := sampledOrders(t, "none", slices.Repeat([]string{"ot=p:63"}, 7)...)
	c := compare.Groups([]compare.Group{base, none})
	if d := c.Differences[0]; d.Low != nil || !strings.Contains(d.Reason, "stand for no others") || c.Groups[1].Structures[0].Share != 1 {
		t.Errorf("where none stands for any there is an interval, or a share that is none: %+v, %+v", d, c.Groups[1].Structures)
	}
	saved := compare.NewBaseline(none).Group()
	if c := compare.Groups([]compare.Group{saved, base}); c.Groups[0].Structures[0].Share != 1 || c.Differences[0].Low != nil {
		t.Errorf("a baseline of such: %+v, %+v", c.Groups[0].Structures, c.Differences[0])
	}
	equal := sampledOrders(t, "equal", slices.Repeat([]string{"ot=th:8"}, 7)...)
	if c := compare.Groups([]compare.Group{base, equal}); c.Differences[0].Low == nil {
		t.Errorf("where all stand for as many there is an interval: %+v", c.Differences[0])
	}
}
