package verdict

import (
	"math"
	"strings"
	"testing"
)

// from makes an estimate up that has one interval at any confidence.
func from(low, high float64) Estimate {
	return Estimate{Value: low/2 + high/2, N: 5, Unit: "runs", bounds: func(int, float64) (float64, float64) { return low, high }}
}

// Each rule at, under and over its line.
func TestRules(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		want      Region
		low, high float64
		word      Word
	}{
		{MoreThan(20), 20.1, 90, Holds},
		{MoreThan(20), 20, 90, NotShown},
		{MoreThan(20), 19.9, 90, NotShown},
		{MoreThan(20), 5, 20.1, NotShown},
		{MoreThan(20), 5, 20, DoesNotHold},
		{MoreThan(20), -90, -5, DoesNotHold},
		{MoreThan(20), inf, inf, Holds},
		{MoreThan(20), -inf, inf, NotShown},
		{LessThan(-5), -9, -5.1, Holds},
		{LessThan(-5), -9, -5, NotShown},
		{LessThan(-5), -5, 3, DoesNotHold},
		{LessThan(-5), -inf, -inf, Holds},
		{AtLeast(0.5), 0.5, 0.9, Holds},
		{AtLeast(0.5), 0.49, 0.9, NotShown},
		{AtLeast(0.5), 0.1, 0.5, NotShown},
		{AtLeast(0.5), 0.1, 0.49, DoesNotHold},
		{AtMost(0.05), 0, 0.05, Holds},
		{AtMost(0.05), 0, 0.051, NotShown},
		{AtMost(0.05), 0.05, 0.2, NotShown},
		{AtMost(0.05), 0.051, 0.2, DoesNotHold},
		{AtMost(0.05), inf, inf, DoesNotHold},
		{Within(0, 5), -5, 5, Holds},
		{Within(0, 5), -5.1, 5, NotShown},
		{Within(0, 5), -5, 5.1, NotShown},
		{Within(0, 5), 5, 9, NotShown},
		{Within(0, 5), 5.1, 9, DoesNotHold},
		{Within(0, 5), -9, -5.1, DoesNotHold},
		{Within(0, 5), -9, 9, NotShown},
		{Within(1, 0.1), 0.9, 1.1, Holds},
		{MoreThan(20), math.NaN(), math.NaN(), NotShown},
	} {
		if v := Judge(nil, Part{Name: "x", Estimate: from(c.low, c.high), Want: c.want}); v.Word != c.word {
			t.Errorf("%s with %g to %g: %s, want %s", c.want, c.low, c.high, v.Word, c.word)
		}
	}
}

func TestCompoundSentences(t *testing.T) {
	yes, no, open := Part{"yes", from(2, 3), MoreThan(1)}, Part{"no", from(0, 0.5), MoreThan(1)}, Part{"open", from(0, 3), MoreThan(1)}
	good, bad := Gate{Name: "good", Passed: true}, Gate{Name: "steady", Measured: "drift of 9 ms", Change: "lower the rate"}
	for _, c := range []struct {
		name  string
		gates []Gate
		parts []Part
		want  Word
	}{
		{"all hold", []Gate{good}, []Part{yes, yes}, Holds},
		{"one is refuted", nil, []Part{yes, no}, DoesNotHold},
		{"one is refuted, one open", nil, []Part{open, no}, DoesNotHold},
		{"one is open", nil, []Part{yes, open}, NotShown},
		{"nothing was measured", nil, nil, NotShown},
		{"a gate failed, and all hold", []Gate{good, bad}, []Part{yes}, NotValid},
		{"a gate failed, and one is refuted", []Gate{bad}, []Part{no}, NotValid},
		{"a gate failed, and nothing is shown", []Gate{bad}, []Part{open}, NotValid},
	} {
		v := Judge(c.gates, c.parts...)
		if v.Word != c.want {
			t.Errorf("%s: %s, want %s", c.name, v.Word, c.want)
		}
		if v.Why() == "" {
			t.Errorf("%s: no reason", c.name)
		}
	}
	if why := Judge([]Gate{bad}, yes).Why(); why != "steady: drift of 9 ms; lower the rate" {
		t.Errorf("not valid: %q", why)
	}
}

// The number of runs that would settle it is one at which it is settled, and the one before is not.
func TestSettle(t *testing.T) {
	runs, _ := Runs([]float64{10, 40, 25, 55, 20}) // mean 30, standard deviation 17.7
	share, _ := Share(2, 100)
	for _, c := range []struct {
		name string
		e    Estimate
		want Region
		n    int // 0 when no number would do
		word Word
	}{
		{"beyond the line", runs, MoreThan(20), 15, Holds},
		{"short of the line", runs, MoreThan(45), 8, DoesNotHold},
		{"no difference", runs, Within(30, 5), 51, Holds},
		{"on the line", runs, MoreThan(30), 0, ""},
		{"a share", share, AtMost(0.05), 204, Holds},
		{"one run", must(Runs([]float64{3})), MoreThan(1), 0, ""},
	} {
		v := Judge(nil, Part{Name: c.name, Estimate: c.e, Want: c.want})
		need, ok := v.Settle()
		if v.Word != NotShown || ok != (c.n > 0) || need.N != c.n {
			t.Errorf("%s: %s, %+v %v, want %d", c.name, v.Word, need, ok, c.n)
			continue
		}
		if ok && (c.want.judge(c.e.interval(c.n, 0.05)) != c.word || c.want.judge(c.e.interval(c.n-1, 0.05)) != NotShown) {
			t.Errorf("%s: %d %s do not settle it, or %d do, too", c.name, c.n, need.Unit, c.n-1)
		}
	}
	a, b := Part{"a", runs, MoreThan(20)}, Part{"b", share, AtMost(0.05)}
	if need, ok := Judge(nil, a, b).Settle(); !ok || need.Part != "b" {
		t.Errorf("both must hold: %+v %v", need, ok)
	}
	if need, ok := Judge(nil, b, Part{"c", runs, MoreThan(45)}).Settle(); !ok || need.Part != "c" {
		t.Errorf("one refutation is enough: %+v %v", need, ok)
	}
	if _, ok := Judge(nil, a, Part{"on the line", runs, MoreThan(30)}).Settle(); ok {
		t.Error("a part that stays open does not settle")
	}
	if _, ok := Judge(nil, Part{"x", from(5, 6), MoreThan(1)}).Settle(); ok {
		t.Error("a verdict that holds needs nothing")
	}
	if why := Judge(nil, a).Why(); !strings.Contains(why, "15 runs would settle it") {
		t.Errorf("%q", why)
	}
	if why := Judge(nil, Part{"x", runs, MoreThan(30)}).Why(); !strings.Contains(why, "no number") {
		t.Errorf("%q", why)
	}
}
