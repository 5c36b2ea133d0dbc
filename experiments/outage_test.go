package experiments

import (
	"flag"
	"os"
	"testing"

	"tracelab/experiments/verdict"
	"tracelab/lab"
)

// smaller is a size of a claim for tests: so many orders of each form in as much time as at the default size, in so many runs.
type smaller struct{ orders, seeds int }

// disturbed runs a claim in virtual time on the embedded broker, which events may end.
func disturbed(t *testing.T, c Claim, tamper func(*lab.Config), size smaller) *Report {
	t.Helper()
	stores := inMemory(t)
	return &virtually(t, []Claim{c}, tamper, func(s *Settings) {
		s.stores = stores
		s.Kafka, s.Orders, s.Seeds, s.Rate = nil, size.orders, size.seeds, c.Size.Rate*float64(size.orders)/float64(c.Size.Orders)
	}).Claims[0]
}

// inMemory is a folder for stores whose writes wait for no disk, where the system has one.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "stores-*") //nolint:usetesting // TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// judged checks a claim in virtual time: that its figures say that it holds, that they never say that it holds where its arms are alike, and that each
// sabotage changes what they say.
func judged(t *testing.T, c Claim, size, small smaller) *Report {
	t.Helper()
	if raced && (c.Name != "service-down" || !alone(t)) {
		t.Skip("the race detector sees the same code run in TestServiceDown, which runs alone: it takes many times as long")
	}
	plain := disturbed(t, c, nil, size)
	if plain.alone() != verdict.Holds {
		t.Errorf("%s, want holds: %s", plain.alone(), plain.Why)
	}
	if plain.Evidence == nil || plain.Evidence.Seen == 0 {
		t.Errorf("no journey shows it: %+v", plain.Gates)
	}
	if raced {
		return plain
	}
	c.Predict = nil
	same := disturbed(t, c, c.Alike, small)
	t.Logf("alike: %s", same.figuresSay())
	if same.alone() == verdict.Holds {
		t.Errorf("%s with arms that are alike: %s", same.alone(), same.Why)
	}
	if len(c.Sabotages) == 0 {
		t.Error("no sabotage")
	}
	for _, s := range c.Sabotages {
		r := disturbed(t, c, s.Change, small)
		t.Logf("%s: %s", s.Name, r.figuresSay())
		if r.alone() == verdict.Holds || s.Want != "" && r.alone() != s.Want {
			t.Errorf("%s: %s, want %q and not holds: %s", s.Name, r.alone(), s.Want, r.Why)
		}
	}
	return plain
}

// alone tells whether a test was asked for by its name, so that no other has run in this process.
func alone(t *testing.T) bool {
	t.Helper()
	return flag.Lookup("test.run").Value.String() == "^"+t.Name()+"$"
}

// valid checks that no gate failed.
func (r *Report) valid(t *testing.T) {
	t.Helper()
	for _, g := range r.Failed() {
		t.Errorf("gate %s: %s", g.Name, g.Measured)
	}
}

// log writes what was predicted and measured.
func (r *Report) log(t *testing.T) {
	t.Helper()
	for _, m := range r.Figures {
		t.Logf("%s, %s: predicted %s, measured %s", m.Arm, m.Measure, number(m.Predicted), number(m.Measured))
	}
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

// runsOf adds a made-up share of runs of so many orders.
func (f *Figures) runsOf(orders int, arm, measure string, hits ...int) {
	figure := Figure{Arm: arm, Measure: measure, Unit: "share", Per: PerRun, Of: orders * len(hits)}
	for _, n := range hits {
		figure.Values, figure.Hits = append(figure.Values, float64(n)/float64(orders)), figure.Hits+n
	}
	*f = append(*f, figure)
}

// share adds made-up figures of a share over three runs of 80 orders.
func (f *Figures) share(arm, measure string, hits ...int) {
	f.runsOf(80, arm, measure, hits...)
}
