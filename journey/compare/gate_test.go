package compare_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/internal/raced"
)

// took makes a group of journeys that take these times, in milliseconds, numbered from 0.
func took(name string, times ...float64) compare.Group {
	g := compare.Group{Name: name}
	for i, ms := range times {
		g.Journeys = append(g.Journeys, journey.NewSet([]journey.Span{{
			Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", End: int64(ms * 1e6),
			Attributes: []journey.Attribute{{Key: "order.number", Value: journey.IntValue(int64(i))}},
		}}).Journeys()...)
	}
	return g
}

var byNumber = compare.WithPairs(compare.ByAttribute("order.number"))

func judge(t testing.TB, limit string, base, other compare.Group, opts ...compare.Option) compare.Check {
	t.Helper()
	l, err := compare.ParseLimit(limit)
	if err != nil {
		t.Fatal(err)
	}
	checks := compare.Gate{Limits: []compare.Limit{l}}.Judge([]compare.Group{base, other}, opts...).Checks
	if len(checks) != 1 {
		t.Fatalf("%d checks", len(checks))
	}
	return checks[0]
}

func times(n int, f func(i int) float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = f(i)
	}
	return list
}

func TestGate(t *testing.T) {
	base := func(i int) float64 { return 50 + float64(i) }
	scaled := func(by float64) func(int) float64 {
		return func(i int) float64 { return base(i) * (by + float64(i%5-2)/100) }
	}
	for _, c := range []struct {
		why, limit  string
		base, other compare.Group
		want        compare.Outcome
		words       string
	}{
		{"the whole interval lies below", "completion>5%", took("a", times(40, base)...), took("b", times(40, scaled(1.01))...), compare.OutcomePass, "+1.0 % [0.0 %, +2.0 %], 40 pairs; half-width 1.0 %"},
		{"the whole interval lies beyond", "completion>5%", took("a", times(40, base)...), took("b", times(40, scaled(1.10))...), compare.OutcomeFail, "+10.0 % [+9.0 %, +11.0 %], 40 pairs"},
		{"it holds the limit", "completion>5%", took("a", times(40, base)...), took("b", times(40, scaled(1.055))...), compare.OutcomeUndecided, "pairs would decide"},
		{"too few for an interval", "completion>5%", took("a", times(5, base)...), took("b", times(5, scaled(2))...), compare.OutcomeUndecided, "it takes at least 6 pairs for an interval"},
		{"equal values and no room", "completion>0%", took("a", times(8, base)...), took("b", times(8, base)...), compare.OutcomePass, "0.0 % [0.0 %, 0.0 %]"},
		{"a duration", "completion>2ms", took("a", times(40, base)...), took("b", times(40, func(i int) float64 { return base(i) + 3 })...), compare.OutcomeFail, "+3.00 ms [+3.00 ms, +3.00 ms], 40 pairs"},
		{"a percentile, side by side", "completion p95>5%", took("a", times(80, base)...), took("b", times(80, scaled(3))...), compare.OutcomeFail, "80 journeys a side"},
		{"a percentile takes more values", "completion p95>5%", took("a", times(40, base)...), took("b", times(40, scaled(3))...), compare.OutcomeUndecided, "it takes at least 72 journeys a side"},
		{"a measure that nobody has", "queue wait>5%", took("a", times(40, base)...), took("b", times(40, base)...), compare.OutcomeUndecided, "one side has no value of it"},
		{"a base of 0", "tail>5%", took("a", times(40, base)...), took("b", times(40, base)...), compare.OutcomePass, "0.0 %"},
		{"a root that is not there", "completion@GET /x>5%", took("a", times(40, base)...), took("b", times(40, base)...), compare.OutcomeUndecided, `contains "GET /x"`},
		{"a root that is there", "completion@post /ORD>5%", took("a", times(40, base)...), took("b", times(40, scaled(1.2))...), compare.OutcomeFail, ""},
	} {
		got := judge(t, c.limit, c.base, c.other, byNumber)
		if got.Outcome != c.want || !strings.Contains(got.Words(), c.words) {
			t.Errorf("%s: %s, %s, want %s with %q", c.why, got.Outcome, got.Words(), c.want, c.words)
		}
	}
}

// The ratio of pairs is not bent by their size: where large ones vary, the median of the differences over the median of the
// base is far from what each pair says.
func TestGateGoesByRatios(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a := times(201, func(int) float64 { return 20 * math.Exp(1.5*rng.NormFloat64()) })
	b := times(201, func(i int) float64 { return a[i] * 1.1 })
	if c := judge(t, "completion>5%", took("a", a...), took("b", b...), byNumber); math.Abs(*c.Delta-0.1) > 1e-6 || c.Outcome != compare.OutcomeFail {
		t.Errorf("10 %% more reads %+v: %s", *c.Delta, c.Words())
	}
}

// From 6 runs a side on the interval is over runs: journeys of one run share its mood.
func TestGateGoesByRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	side := func(name string, runs int) compare.Group {
		var all []float64
		var of []int
		for r := range runs {
			mood := 1 + 0.1*rng.NormFloat64()
			for range 50 {
				all, of = append(all, 50*mood*(1+0.01*rng.NormFloat64())), append(of, r)
			}
		}
		g := took(name, all...)
		g.Runs = of
		return g
	}
	c := judge(t, "completion>1%", side("a", 8), side("b", 8), byNumber)
	if !c.Runs || c.Paired || c.N != 8 || !strings.Contains(c.Words(), "8 runs a side") {
		t.Errorf("%+v: %s", c, c.Words())
	}
	c = judge(t, "completion>1%", side("a", 3), side("b", 8))
	if c.Runs || !strings.Contains(c.Words(), "3 and 8 runs, and it takes 6 a side") {
		t.Errorf("%+v: %s", c, c.Words())
	}
}

// rates simulates pairs of runs and counts what a gate at 5 % says.
func rates(t *testing.T, trials, n int, spread, factor float64, paired bool) map[compare.Outcome]int {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	counts := map[compare.Outcome]int{}
	for range trials {
		a := times(n, func(int) float64 { return 50 * math.Exp(0.3*rng.NormFloat64()) })
		b := times(n, func(i int) float64 {
			if !paired {
				return 50 * factor * math.Exp(0.3*rng.NormFloat64())
			}
			return a[i] * factor * math.Exp(spread*rng.NormFloat64())
		})
		opts := []compare.Option{byNumber}
		if !paired {
			opts = nil
		}
		counts[judge(t, "completion>5%", took("a", a...), took("b", b...), opts...).Outcome]++
	}
	return counts
}

func TestGateRates(t *testing.T) {
	raced.OneGoroutine(t)
	for _, c := range []struct {
		why            string
		n              int
		spread, factor float64
		paired         bool
		atLeast        compare.Outcome // in at least 95 of 100
		never          compare.Outcome
	}{
		{"the same thing passes", 100, 0.08, 1, true, compare.OutcomePass, compare.OutcomeFail},
		{"10 % more fails", 100, 0.08, 1.1, true, compare.OutcomeFail, compare.OutcomePass},
		{"the same thing passes, as spread as is promised", 100, 0.1, 1, true, compare.OutcomePass, compare.OutcomeFail},
		{"10 % more fails, as spread as is promised", 100, 0.1, 1.1, true, compare.OutcomeFail, compare.OutcomePass},
		{"twice as spread takes 400 pairs", 400, 0.2, 1, true, compare.OutcomePass, compare.OutcomeFail},
		{"unpaired the same thing does not fail", 100, 0, 1, false, "", compare.OutcomeFail},
	} {
		const trials = 200
		got := rates(t, trials, c.n, c.spread, c.factor, c.paired)
		t.Logf("%s: %v", c.why, got)
		if c.atLeast != "" && got[c.atLeast] < trials*95/100 {
			t.Errorf("%s: %d of %d %s, want 95 of 100: %v", c.why, got[c.atLeast], trials, c.atLeast, got)
		}
		if got[c.never] > 0 && c.paired || got[c.never] > trials/50 {
			t.Errorf("%s: %d of %d %s", c.why, got[c.never], trials, c.never)
		}
	}
}

// What a check says would decide does: with that many pairs most checks are decided.
func TestEnoughDecides(t *testing.T) {
	raced.OneGoroutine(t)
	rng := rand.New(rand.NewPCG(3, 4))
	a := times(60, func(int) float64 { return 50 * math.Exp(0.3*rng.NormFloat64()) })
	shift := 0.0
	b := times(60, func(i int) float64 { // each shift comes with its opposite, so that the median is near 0
		if shift = -shift; i%2 == 0 {
			shift = 0.2 * rng.NormFloat64()
		}
		return a[i] * math.Exp(shift)
	})
	c := judge(t, "completion>5%", took("a", a...), took("b", b...), byNumber)
	n, ok := c.Enough()
	if c.Outcome != compare.OutcomeUndecided || !ok || n < 100 || n > 1000 {
		t.Fatalf("%s: %d, %v; %s", c.Outcome, n, ok, c.Words())
	}
	if got := rates(t, 100, n, 0.2, 1, true); got[compare.OutcomePass] < 90 {
		t.Errorf("with %d pairs: %v", n, got)
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]string{
		"completion>5%":                     "completion>5%",
		" caller wait  p95 > 20ms ":         "caller wait p95>20ms",
		"caller_wait_ms.p99>1.5 %":          "caller wait p99>1.5%",
		"queue wait p50>250us":              "queue wait>0.25ms",
		"completion@POST /a>b > 10%":        "completion@POST /a>b>10%",
		"completion":                        `a measure, > and an amount are expected`,
		"completion>":                       `amount "" is neither a percentage nor a duration`,
		"completion>-5%":                    `negative or not finite`,
		"completion>nan%":                   `negative or not finite`,
		"completion>inf%":                   `negative or not finite`,
		"completion>-1ms":                   `negative or not finite`,
		"completion>5":                      `use 5% or 2ms`,
		"speed>5%":                          `there is no measure "speed": use one of caller wait, completion, tail, queue wait`,
		"completion p0>5%":                  `there is no percentile p0`,
		"completion@ >5%":                   `a text of a root is expected`,
		"completion p99999999999999999>5%":  `there is no percentile`,
		"completion @ gateway POST /x > 5%": "completion@gateway POST /x>5%",
	} {
		l, err := compare.ParseLimit(text)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
			continue
		}
		if l.String() != want {
			t.Errorf("%q: %q, want %q", text, l, want)
		}
	}
	hops := compare.Measure{Name: "hops"}
	if _, err := compare.ParseLimit("hops>2ms", hops); err == nil || !strings.Contains(err.Error(), "hops is not a time") {
		t.Errorf("%v", err)
	}
}

// A limit that was read and written is read as the same.
func FuzzParseLimit(f *testing.F) {
	for _, text := range []string{"completion>5%", "caller wait p95>20ms", "queue_wait_ms@POST /orders>10%", "tail.p1>1h2m", "completion@a@b>c>0%", "completion>1e-7%", "completion>9223372036854775807ns"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := compare.ParseLimit(text)
		if err != nil {
			return
		}
		again, err := compare.ParseLimit(l.String())
		if err != nil || again.String() != l.String() || again.Measure != l.Measure || again.Root != l.Root || again.Quantile != l.Quantile {
			t.Errorf("%q is written %q, which is %q: %v", text, l, again, err)
		}
	})
}

func TestSameWithin(t *testing.T) {
	a := took("a", times(40, func(i int) float64 { return 50 + float64(i) })...)
	b := took("b", times(40, func(i int) float64 { return (50 + float64(i)) * (1 + float64(i%5-2)/500) })...)
	less := took("less", times(40, func(i int) float64 { return (50 + float64(i)) * 0.9 })...)
	for _, d := range compare.Groups([]compare.Group{a, less}, byNumber, compare.WithSameWithin(compare.Amount{Share: true, Value: 0.02})).Differences {
		if d.Measure == compare.Completion && d.Verdict != compare.VerdictLess {
			t.Errorf("a tenth less: %s within %s", d.Verdict, d.SameWithin)
		}
	}
	for amount, want := range map[string]compare.Verdict{"2%": compare.VerdictSame, "0.01%": compare.VerdictNone, "1ms": compare.VerdictSame, "1us": compare.VerdictNone} {
		within, err := compare.ParseAmount(amount)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range compare.Groups([]compare.Group{a, b}, byNumber, compare.WithSameWithin(within)).Differences {
			if d.Measure == compare.Completion && (d.Verdict != want || d.SameWithin != amount && amount != "1us") {
				t.Errorf("%s: %s within %s", amount, d.Verdict, d.SameWithin)
			}
		}
	}
}
