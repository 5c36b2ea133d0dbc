package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
	"tracelab/lab"
)

// disturbed runs a claim in virtual time on the embedded broker, which events may end: a small one of two runs.
func disturbed(t *testing.T, c Claim, tamper func(*lab.Config), change func(*Settings)) *Report {
	t.Helper()
	return &virtually(t, []Claim{c}, tamper, func(s *Settings) {
		s.Kafka, s.Orders, s.Seeds = nil, 100, 2
		if change != nil {
			change(s)
		}
	}).Claims[0]
}

// judged checks a claim in virtual time: its word, that it never holds where its arms are alike, and that each sabotage changes what it says.
func judged(t *testing.T, c Claim, want verdict.Word, change func(*Settings)) *Report {
	t.Helper()
	plain := disturbed(t, c, nil, change)
	if plain.Verdict != want {
		t.Errorf("%s, want %s: %s", plain.Verdict, want, plain.Why)
	}
	if plain.Evidence == nil || plain.Evidence.Seen == 0 {
		t.Errorf("no journey shows it: %+v", plain.Gates)
	}
	small := func(s *Settings) { // gates say nothing here
		if change != nil {
			change(s)
		}
		s.Orders = s.Orders * 2 / 5
	}
	c.Predict = nil
	if same := disturbed(t, c, c.Alike, small); same.Verdict == verdict.Holds || same.alone() == verdict.Holds {
		t.Errorf("%s with arms that are alike: %s", same.alone(), same.Why)
	}
	if len(c.Sabotages) == 0 {
		t.Error("no sabotage")
	}
	for _, s := range c.Sabotages {
		r := disturbed(t, c, s.Change, small)
		if r.Verdict == plain.Verdict || s.Want != "" && r.alone() != s.Want {
			t.Errorf("%s: %s (figures alone: %s), want %q and not %s: %s", s.Name, r.Verdict, r.alone(), s.Want, plain.Verdict, r.Why)
		}
	}
	return plain
}

// figure is what was measured of an arm.
func (r *Report) figure(t *testing.T, arm, measure string) Measured {
	t.Helper()
	m := find(r.Figures, arm, measure)
	if m == nil {
		t.Fatalf("no figure %q of %q", measure, arm)
	}
	return *m
}

// near checks that a figure lies no farther from its prediction than allowed.
func (r *Report) near(t *testing.T, arm, measure string, allowed float64) {
	t.Helper()
	m := r.figure(t, arm, measure)
	if m.Residual == nil || *m.Residual > allowed || *m.Residual < -allowed {
		t.Errorf("%s, %s: predicted %s, measured %s, want them within %g", arm, measure, number(m.Predicted), number(m.Measured), allowed)
	}
}

// share adds made-up figures of a share over three runs of 80 orders.
func (f *Figures) share(arm, measure string, hits ...int) {
	all := 0
	var values []float64
	for _, n := range hits {
		all += n
		values = append(values, float64(n)/80)
	}
	f.Count(arm, measure, all, 80*len(hits))
	f.PerRun(arm, measure+byRun, "share", values)
}
