package verdict

import (
	"math/rand/v2"
	"testing"
	"time"

	"tracelab/experiments/model/simulation"
)

// at makes a verdict up whose estimate is so many standard errors beyond its line, with the normal distribution.
func at(errors ...float64) Verdict {
	var parts []Part
	for _, e := range errors {
		parts = append(parts, Part{Name: "x", Want: MoreThan(0), Estimate: Estimate{Value: e, N: 1000, Unit: "runs", bounds: func(_ int, miss float64) (float64, float64) {
			reach := studentQuantile(miss/2, 1000)
			return e - reach, e + reach
		}}})
	}
	return Judge(nil, parts...)
}

// Holm's own steps: p-values of 0.01, 0.02, 0.03 and 0.04 among four, and so on.
func TestCorrect(t *testing.T) {
	z := func(p float64) float64 { return studentQuantile(p/2, 1000) }
	notValid := Judge([]Gate{{Name: "steady"}}, at(9).Parts[0].Part)
	for _, c := range []struct {
		name string
		in   []Verdict
		want []Word
	}{
		{"one alone", []Verdict{at(z(0.049))}, []Word{Holds}},
		{"a small one makes room for the next", []Verdict{at(z(0.02)), at(z(0.001)), at(z(0.04))}, []Word{Holds, Holds, Holds}},
		{"the first that fails ends it", []Verdict{at(z(0.03)), at(z(0.04)), at(z(0.02))}, []Word{NotShown, NotShown, NotShown}},
		{"in their order, whatever their sizes", []Verdict{at(z(0.04)), at(z(0.0001)), at(z(0.026))}, []Word{NotShown, Holds, NotShown}},
		{"what decides nothing counts, too", []Verdict{at(z(0.02)), at(0), notValid}, []Word{NotShown, NotShown, NotValid}},
		{"refutations", []Verdict{at(-z(0.001)), at(-z(0.03))}, []Word{DoesNotHold, DoesNotHold}},
		{"the weakest part holds", []Verdict{at(z(0.001), z(0.03)), at(0)}, []Word{NotShown, NotShown}},
		{"one refutation of two is a chance more to err", []Verdict{at(-z(0.02), 0), at(0)}, []Word{NotShown, NotShown}},
		{"but a strong one stays", []Verdict{at(-z(0.01), 0), at(0)}, []Word{DoesNotHold, NotShown}},
	} {
		got := Correct(c.in)
		for i, v := range got {
			if v.Word != c.want[i] || v.Among != len(c.in) {
				t.Errorf("%s: verdict %d is %s of %d, want %s", c.name, i, v.Word, v.Among, c.want[i])
			}
			if taken := c.in[i].Word != v.Word; taken != (v.Alone != "") || taken && v.Alone != c.in[i].Word {
				t.Errorf("%s: verdict %d was %s and says %q", c.name, i, c.in[i].Word, v.Alone)
			}
			for _, p := range v.Parts { // what is printed agrees with the word
				if v.Word == Holds && p.Word != Holds {
					t.Errorf("%s: verdict %d holds, and its part is %s", c.name, i, p.Word)
				}
			}
		}
	}
	if v := Correct([]Verdict{at(z(0.03)), at(0)})[0]; v.Why() == "" || v.Alone != Holds {
		t.Errorf("%+v", v)
	}
	if got := Correct(nil); len(got) != 0 {
		t.Errorf("an empty ledger became %d verdicts", len(got))
	}
	if exact := Correct([]Verdict{Judge(nil, Part{"none lost", Exact(0, 100, "orders"), AtMost(0)}), at(0)})[0]; exact.Word != Holds {
		t.Errorf("what is counted in full is %s", exact.Word)
	}
}

// arms are two arms of one experiment that differ in nothing but their seeds.
type arms struct{ waits, errors, drains [2][]float64 }

// alike runs both arms: a queue of two workers at 0.9 utilization with ten places, five runs of 150 orders each.
func alike(t *testing.T, seed *uint64) arms {
	t.Helper()
	const runs, n = 5, 150
	var a arms
	for range runs {
		for arm := range 2 {
			*seed++
			orders, err := simulation.Queue{
				Arrivals: simulation.Poisson(*seed, 180, n), Costs: simulation.Exponential(*seed, 10*time.Millisecond, n), Workers: 2, Places: 10,
			}.Run()
			if err != nil {
				t.Fatal(err)
			}
			var sum, done, last float64
			for _, o := range orders {
				last = max(last, o.Ended.Seconds())
				if o.Outcome == simulation.Done {
					sum += o.Response()
					done++
				}
			}
			a.waits[arm] = append(a.waits[arm], sum/done)
			a.errors[arm] = append(a.errors[arm], 1-done/n)
			a.drains[arm] = append(a.drains[arm], last-orders[n-1].Arrived.Seconds())
		}
	}
	return a
}

// claims makes the sentences of one experiment on arms that are alike. A wrong verdict is any holds of "differs", and any does not
// hold of "is the same"; with a line at 0 the truth lies on it, which is where most verdicts go wrong.
func (a arms) claims(line float64) []Verdict {
	difference := func(values [2][]float64) Estimate { return must(PairedRuns(values[0], values[1])) }
	wait, errors, drain := difference(a.waits), difference(a.errors), difference(a.drains)
	return []Verdict{
		Judge(nil, Part{"wait", wait, MoreThan(line)}),
		Judge(nil, Part{"wait", wait, LessThan(-line)}),
		Judge(nil, Part{"errors", errors, MoreThan(line / 1000)}),
		Judge(nil, Part{"errors", errors, Within(0, line/1000)}),
		Judge(nil, Part{"drain", drain, Within(0, line/1000)}, Part{"wait", wait, Within(0, line)}),
		Judge(nil, Part{"drain", drain, MoreThan(line / 1000)}, Part{"errors", errors, MoreThan(line / 1000)}),
	}
}

// wrong tells whether a ledger of such sentences has a wrong verdict.
func wrong(ledger []Verdict) bool {
	for i, v := range ledger {
		same := i%6 == 3 || i%6 == 4
		if !same && v.Word == Holds || same && v.Word == DoesNotHold {
			return true
		}
	}
	return false
}

// Twenty ledgers of 36 sentences each with both arms alike: with lines of interest, as claims have them, none is wrong; with all
// lines drawn where the truth is, the correction still keeps ledgers right that singly judged sentences get wrong.
func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	const ledgers, experiments = 20, 6
	seed := uint64(1000)
	var ofInterest, onTheLine, uncorrected int
	for range ledgers {
		var interest, line []Verdict
		for range experiments {
			a := alike(t, &seed)
			interest = append(interest, a.claims(5)...)
			line = append(line, a.claims(0)...)
		}
		for _, c := range []struct {
			ledger []Verdict
			count  *int
		}{{Correct(interest), &ofInterest}, {Correct(line), &onTheLine}, {line, &uncorrected}} {
			if wrong(c.ledger) {
				*c.count++
			}
		}
	}
	t.Logf("wrong ledgers of %d: %d with lines of interest, %d with lines at the truth, %d of those without the correction", ledgers, ofInterest, onTheLine, uncorrected)
	if ofInterest > 1 {
		t.Errorf("%d of %d ledgers have a wrong verdict, want at most 1", ofInterest, ledgers)
	}
	if onTheLine > 1 {
		t.Errorf("%d of %d ledgers have a wrong verdict though they were corrected, want at most 1", onTheLine, ledgers)
	}
	if uncorrected <= 5 {
		t.Errorf("without the correction %d ledgers are wrong: this test would not see that it is gone", uncorrected)
	}
}

// The rate of wrong ledgers, counted on more of them with estimates that cost nothing.
func TestRateOfWrongLedgers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	const ledgers, sentences = 120, 37
	count := 0
	for range ledgers {
		var ledger []Verdict
		for range sentences {
			values := fill(5, r.NormFloat64)
			want := MoreThan(0)
			if r.IntN(2) == 0 {
				want = LessThan(0)
			}
			ledger = append(ledger, Judge(nil, Part{"x", must(Runs(values)), want}))
		}
		for _, v := range Correct(ledger) {
			if v.Word == Holds {
				count++
				break
			}
		}
	}
	if rate := float64(count) / ledgers; rate > 0.05 {
		t.Errorf("%.3f of the ledgers have a wrong verdict, want at most 0.05", rate)
	}
}
