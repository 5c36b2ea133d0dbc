package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestPoison(t *testing.T) {
	r := judged(t, poison(), smaller{100, 2}, smaller{50, 3})
	r.near(t, isBuried, failedForNow, 0.001)
	r.near(t, isBuried, undoneInEnd, 0)
	r.log(t)
}

func TestPoisonDecides(t *testing.T) {
	for _, c := range []struct {
		name                    string
		there, buried           []float64 // p99 of the others, times calm
		letters, nameless, kept int
		undone, unseen          int
		want                    verdict.Word
	}{
		{"those behind wait only in place", []float64{30, 28, 33, 31}, []float64{1, 1.1, 0.9, 1}, 16, 0, 0, 0, 0, verdict.Holds},
		{"just under the line with dead letters", []float64{30, 28, 33, 31}, []float64{1.99, 1.98, 1.99, 1.98}, 16, 0, 0, 0, 0, verdict.Holds},
		{"over the line with dead letters", []float64{30, 28, 33, 31}, []float64{2.1, 2.2, 2.1, 2.2}, 16, 0, 0, 0, 0, verdict.DoesNotHold},
		{"nobody waits in place", []float64{1, 1.1, 0.9, 1}, []float64{1, 1.1, 0.9, 1}, 16, 0, 0, 0, 0, verdict.DoesNotHold},
		{"runs differ", []float64{30, 28, 33, 31}, []float64{1, 4, 1, 4}, 16, 0, 0, 0, 0, verdict.NotShown},
		{"no dead letters", []float64{30, 28, 33, 31}, []float64{1, 1, 1, 1.1}, 0, 0, 0, 0, 0, verdict.DoesNotHold},
		{"a letter does not say why", []float64{30, 28, 33, 31}, []float64{1, 1, 1, 1.1}, 16, 1, 0, 0, 0, verdict.DoesNotHold},
		{"a letter is not sent back", []float64{30, 28, 33, 31}, []float64{1, 1, 1, 1.1}, 16, 0, 1, 0, 0, verdict.DoesNotHold},
		{"lint misses one", []float64{30, 28, 33, 31}, []float64{1, 1, 1, 1.1}, 16, 0, 0, 0, 1, verdict.DoesNotHold},
		{"a reaction is not completed", []float64{30, 28, 33, 31}, []float64{1, 1, 1, 1.1}, 16, 0, 0, 1, 0, verdict.DoesNotHold},
	} {
		var f Figures
		f.PerRun(isTriedThere, againstCalm, "times", c.there)
		f.PerRun(isBuried, againstCalm, "times", c.buried)
		f.Count(isBuried, inLetters, c.letters, max(1, c.letters))
		f.Count(isBuried, anonymous, c.nameless, 16)
		f.Count(isBuried, notSentBack, c.kept, 16)
		f.Count(isBuried, undoneInEnd, c.undone, 800)
		f.Count(isTriedThere, unseenByLint, c.unseen, 8)
		if got := decided(t, poison(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
