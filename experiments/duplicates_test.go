package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestDuplicates(t *testing.T) {
	r := judged(t, duplicates(), smaller{40, 1}, smaller{20, 1})
	r.valid(t)
	r.near(t, isKilled, cameAgain, 0)
	r.log(t)
}

func TestDuplicatesDecides(t *testing.T) {
	for _, c := range []struct {
		name                       string
		again, never, twice, blind int
		undone                     int
		want                       verdict.Word
	}{
		{"some came again", 8, 0, 0, 0, 0, verdict.Holds},
		{"one came again", 1, 0, 0, 0, 0, verdict.Holds},
		{"none came again", 0, 0, 0, 0, 0, verdict.DoesNotHold},
		{"one came again without a kill", 8, 1, 0, 0, 0, verdict.DoesNotHold},
		{"an effect was had twice", 8, 0, 1, 0, 0, verdict.DoesNotHold},
		{"one is not marked", 8, 0, 0, 1, 0, verdict.DoesNotHold},
		{"one is not completed", 8, 0, 0, 0, 1, verdict.DoesNotHold},
	} {
		var f Figures
		f.Count(isKilled, noEffect, c.again, 560)
		f.Count(isHealthy, noEffect, c.never, 560)
		f.Count(isKilled, doneTwice, c.twice, 560)
		f.Count(isKilled, cameAgain, 8-c.blind, 8)
		f.Count(isKilled, notDone, c.undone, 80)
		if got := decided(t, duplicates(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
