package verdict

import (
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/perf/benchmath"
	"pgregory.net/rapid"

	"tracelab/journey/compare"
)

// Where others have the same interval, it is the same.
func TestAgreesWithBenchmathAndCompare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 6; n <= 40; n++ {
		base, other := fill(n, r.ExpFloat64), fill(n, r.ExpFloat64)
		differences := make([]float64, n)
		for i := range base {
			differences[i] = other[i] - base[i]
		}
		e, err := PairedRuns(base, other)
		want := benchmath.AssumeNormal.Summary(benchmath.NewSample(append([]float64(nil), differences...), &benchmath.DefaultThresholds), 0.95)
		if low, high := e.Interval(0.95); err != nil || !near(e.Value, want.Center, 1e-9) || !near(low, want.Lo, 1e-6) || !near(high, want.Hi, 1e-6) {
			t.Errorf("n = %d: %g, %g to %g (%v); benchmath %g, %g to %g", n, e.Value, low, high, err, want.Center, want.Lo, want.Hi)
		}
		p, err := PairedMedian(base, other)
		paired := compare.Paired(base, other)
		if low, high := p.Interval(0.95); err != nil || !near(p.Value, *paired.Delta, 1e-9) || low != *paired.Low || high != *paired.High {
			t.Errorf("n = %d: median %g, %g to %g (%v); compare %g, %g to %g", n, p.Value, low, high, err, *paired.Delta, *paired.Low, *paired.High)
		}
		u, err := UnpairedQuantile(base, other, 0.5)
		unpaired := compare.Unpaired(base, other)
		if low, high := u.Interval(0.95); err != nil || !near(u.Value, *unpaired.Delta, 1e-9) || !near(low, *unpaired.Low, 1e-9) || !near(high, *unpaired.High, 1e-9) {
			t.Errorf("n = %d: medians %g, %g to %g (%v); compare %g, %g to %g", n, u.Value, low, high, err, *unpaired.Delta, *unpaired.Low, *unpaired.High)
		}
	}
}

// Clopper and Pearson's printed bounds, and the closed form for none.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{0, 20, 0, 0.1684}, {1, 20, 0.0013, 0.2487}, {10, 20, 0.2720, 0.7280}, {20, 20, 0.8316, 1}} {
		e, err := Share(c.k, c.n)
		if low, high := e.Interval(0.95); err != nil || !near(low, c.low, 1e-4) || !near(high, c.high, 1e-4) {
			t.Errorf("%d of %d: %.4f to %.4f (%v), want %g to %g", c.k, c.n, low, high, err, c.low, c.high)
		}
	}
	none, _ := Share(0, 20)
	if _, high := none.Interval(0.9); !near(high, 0.1391, 1e-4) {
		t.Errorf("none of 20 allows %.4f on one side, want 14 %%", high)
	}
	for _, bad := range [][2]int{{-1, 5}, {6, 5}, {0, 0}} {
		if _, err := Share(bad[0], bad[1]); err == nil {
			t.Errorf("%d of %d is not refused", bad[0], bad[1])
		}
	}
	if _, err := ShareDifference(1, 5, 6, 5); err == nil {
		t.Error("a difference of what is no share is not refused")
	}
}

// Every interval widens with its confidence and narrows with its units, or a correction and a settling number would mean nothing.
func TestIntervalsAreNested(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wait := rapid.OneOf(rapid.Float64Range(0, 100), rapid.Just(math.Inf(1)))
		waits, others := rapid.SliceOfN(wait, 20, 40).Draw(t, "waits"), rapid.SliceOfN(wait, 40, 40).Draw(t, "others")
		values := rapid.SliceOfN(rapid.Float64Range(-50, 50), 20, 40).Draw(t, "values")
		k := rapid.IntRange(0, 40).Draw(t, "k")
		estimates := []func() (Estimate, error){
			func() (Estimate, error) { return Runs(values[:5]) },
			func() (Estimate, error) { return UnpairedRuns(values[:5], values[5:12]) },
			func() (Estimate, error) { return bootstrap(values, 1, 199) },
			func() (Estimate, error) { return Quantile(waits, 0.9) },
			func() (Estimate, error) { return PairedMedian(waits, others[:len(waits)]) },
			func() (Estimate, error) { return UnpairedQuantile(waits, others, 0.5) },
			func() (Estimate, error) { return Share(k, 40) },
			func() (Estimate, error) { return ShareDifference(k, 40, 7, 50) },
			func() (Estimate, error) {
				e, err := Runs(values[:5])
				s, _ := Share(k, 40)
				return Wider(e, s), err
			},
			func() (Estimate, error) { return Exact(3, 10, "orders"), nil },
		}
		for i, f := range estimates {
			e, err := f()
			if err != nil {
				t.Fatal(i, err)
			}
			before := [2]float64{math.NaN(), math.NaN()}
			for _, confidence := range []float64{0.5, 0.9, 0.95, 0.99, 0.9999} {
				low, high := e.Interval(confidence)
				if !(low <= high) {
					t.Fatalf("%s at %g: %g to %g", e.Method, confidence, low, high)
				}
				if low > before[0] || high < before[1] {
					t.Fatalf("%s at %g: %g to %g is not around %v", e.Method, confidence, low, high, before)
				}
				before = [2]float64{low, high}
			}
		}
	})
}

func TestFailuresAreTheLongestWaits(t *testing.T) {
	inf := math.Inf(1)
	waits := fill(100, func() float64 { return 5 })
	for i := range 60 {
		waits[i] = inf
	}
	if e, err := Quantile(waits, 0.5); err != nil || !math.IsInf(e.Value, 1) {
		t.Errorf("the median of 60 failures of 100 is %g (%v)", e.Value, err)
	}
	base := fill(10, func() float64 { return 5 })
	allFailed := fill(10, func() float64 { return inf })
	up, _ := PairedMedian(base, allFailed)
	if low, high := up.Interval(0.95); !math.IsInf(low, 1) || !math.IsInf(high, 1) {
		t.Errorf("all failed against none: %g to %g", low, high)
	}
	both, _ := PairedMedian(allFailed, allFailed)
	if low, high := both.Interval(0.95); both.Value != 0 || !math.IsInf(low, -1) || !math.IsInf(high, 1) {
		t.Errorf("all failed in both: %g, %g to %g", both.Value, low, high)
	}
	unpaired, _ := UnpairedQuantile(base, allFailed, 0.5)
	if low, _ := unpaired.Interval(0.95); !math.IsInf(low, 1) {
		t.Errorf("unpaired: from %g", low)
	}
	neither, _ := UnpairedQuantile(allFailed, allFailed, 0.5)
	if low, high := neither.Interval(0.95); !math.IsInf(low, -1) || !math.IsInf(high, 1) {
		t.Errorf("unpaired, all failed in both: %g to %g", low, high)
	}
}

func TestRefusesWhatSaysNothing(t *testing.T) {
	inf := math.Inf(1)
	for what, f := range map[string]func() (Estimate, error){
		"a failed run":          func() (Estimate, error) { return Runs([]float64{1, inf}) },
		"no runs":               func() (Estimate, error) { return Runs(nil) },
		"half a pair":           func() (Estimate, error) { return PairedRuns([]float64{1}, nil) },
		"no pairs":              func() (Estimate, error) { return PairedMedian(nil, nil) },
		"a pair of no number":   func() (Estimate, error) { return PairedMedian([]float64{1}, []float64{math.NaN()}) },
		"one side":              func() (Estimate, error) { return UnpairedRuns([]float64{1}, nil) },
		"a failed run of two":   func() (Estimate, error) { return UnpairedRuns([]float64{1}, []float64{inf}) },
		"a bootstrap of 5 runs": func() (Estimate, error) { return Bootstrap([]float64{1, 2, 3, 4, 5}, 1) },
		"a bootstrap of waits":  func() (Estimate, error) { return Bootstrap(fill(20, func() float64 { return inf }), 1) },
		"quantile 1":            func() (Estimate, error) { return Quantile([]float64{1}, 1) },
		"no orders":             func() (Estimate, error) { return UnpairedQuantile([]float64{1}, nil, 0.5) },
		"no number":             func() (Estimate, error) { return Quantile([]float64{math.NaN()}, 0.5) },
		"corners of two sizes":  func() (Estimate, error) { _, err := Corners{CallsDone: []float64{1}}.Effects(); return Estimate{}, err },
		"a corner of no number": func() (Estimate, error) {
			x, bad := []float64{1}, []float64{math.NaN()}
			_, err := Corners{x, x, x, bad}.Effects()
			return Estimate{}, err
		},
		"a slope at one place": func() (Estimate, error) { _, err := Slope([]float64{1, 1}, []float64{1, 2}); return Estimate{}, err },
		"half a point":         func() (Estimate, error) { _, err := Slope([]float64{1, 1}, []float64{1}); return Estimate{}, err },
		"a failed point":       func() (Estimate, error) { _, err := Slope([]float64{1, 2}, []float64{1, inf}); return Estimate{}, err },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
	for what, e := range map[string]Estimate{"nothing": {}, "one run": must(Runs([]float64{7})), "one run of each": must(UnpairedRuns([]float64{7}, []float64{8}))} {
		if low, high := e.Interval(0.95); !math.IsInf(low, -1) || !math.IsInf(high, 1) {
			t.Errorf("%s is bounded: %g to %g", what, low, high)
		}
	}
}

func must(e Estimate, err error) Estimate {
	if err != nil {
		return Estimate{Method: err.Error()}
	}
	return e
}

func TestSlope(t *testing.T) {
	if s, err := Slope([]float64{1, 2, 4, 8}, []float64{7, 12, 22, 42}); err != nil || !near(s, 5, 1e-12) {
		t.Errorf("slope %g %v, want 5", s, err)
	}
}

// No error in five runs has no width over runs; over their orders it has.
func TestWider(t *testing.T) {
	none, _ := Runs(make([]float64, 5))
	orders, _ := Share(0, 500)
	_, alone := none.Interval(0.95)
	low, high := Wider(none, orders).Interval(0.95)
	if alone != 0 || low != 0 || !near(high, 0.00735, 1e-5) {
		t.Errorf("up to %g alone, %g to %g together", alone, low, high)
	}
	half, _ := Runs([]float64{0.5, 0.5, 0.5, 0.5, 0.5})
	orders, _ = Share(250, 500)
	if low, high := Wider(half, orders).Interval(0.95); !near(low, 0.4553, 1e-4) || !near(high, 0.5447, 1e-4) {
		t.Errorf("half of 500: %g to %g", low, high)
	}
}

func TestSquare(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 60
	work := fill(n, func() float64 { return 40 + 10*r.Float64() })
	corner := func(of func(work float64) float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = of(work[i]) + 0.2*r.Float64()
		}
		return values
	}
	c := Corners{
		CallsDone: corner(func(w float64) float64 { return w }), CallsEarly: corner(func(float64) float64 { return 3 }),
		MessagesDone: corner(func(w float64) float64 { return w + 2 }), MessagesEarly: corner(func(float64) float64 { return 4 }),
	}
	e, err := c.Effects()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what string
		got  Estimate
		want float64
	}{{"early among calls", e.EarlyAmongCalls, -42}, {"early among messages", e.EarlyAmongMessages, -43}, {"broker when done", e.BrokerWhenDone, 2}, {"broker when early", e.BrokerWhenEarly, 1}, {"interaction", e.Interaction, -1}} {
		low, high := x.got.Interval(0.95)
		if !near(x.got.Value, x.want, 1.5) || low > x.got.Value || high < x.got.Value {
			t.Errorf("%s: %g, %g to %g, want %g", x.what, x.got.Value, low, high, x.want)
		}
	}
	if _, _, ok := e.Main(0.5); ok {
		t.Error("a main effect is named though the interaction is a millisecond")
	}
	early, broker, ok := e.Main(2)
	if !ok || !near(early.Value, -42.5, 1.5) || !near(broker.Value, 1.5, 0.3) {
		t.Errorf("main effects %g and %g, %v", early.Value, broker.Value, ok)
	}
	c.MessagesEarly = fill(n, func() float64 { return math.Inf(1) })
	if e, err := c.Effects(); err != nil || !math.IsInf(e.BrokerWhenEarly.Value, 1) {
		t.Errorf("all failed: %g %v", e.BrokerWhenEarly.Value, err)
	}
}
