package experiments

import (
	"slices"
	"testing"

	"tracelab/experiments/verdict"
)

// shared are the claims that read the one run of the corners.
func shared() []Claim {
	names := []string{"caller-wait"}
	return slices.DeleteFunc(All(), func(c Claim) bool { return !slices.Contains(names, c.Name) })
}

// alone is the word on the figures of a report, whatever its gates say.
func (r *Report) alone() verdict.Word {
	v := r.verdict
	var parts []verdict.Part
	for _, p := range v.Parts {
		parts = append(parts, p.Part)
	}
	return verdict.Judge(nil, parts...).Word
}

// In virtual time the verdicts do not depend on a machine, and the model is right.
func TestTheCorners(t *testing.T) {
	want := map[string]verdict.Word{"caller-wait": verdict.Holds}
	ledger := virtually(t, shared(), nil, nil)
	for _, r := range ledger.Claims {
		if r.Verdict != want[r.Name] {
			t.Errorf("%s: %s, want %s: %s\n%+v", r.Name, r.Verdict, want[r.Name], r.Why, r.Failed())
		}
		if r.Evidence == nil || r.Evidence.Seen == 0 {
			t.Errorf("%s: no journey shows it", r.Name)
		}
	}
}

// Where the arms do not differ, nothing holds: a claim that did would hold by chance or by its own making.
func TestAlikeCornersShowNothing(t *testing.T) {
	claims := shared()
	for _, r := range virtually(t, claims, claims[0].Alike, nil).Claims {
		if r.Verdict == verdict.Holds || r.alone() == verdict.Holds {
			t.Errorf("%s: %s with arms that are alike: %s", r.Name, r.alone(), r.Why)
		}
	}
}

// Each sabotage changes the verdict, and what the figures alone say.
func TestSabotages(t *testing.T) {
	for _, claim := range shared() {
		plain := virtually(t, []Claim{claim}, nil, nil).Claims[0]
		if len(claim.Sabotages) == 0 {
			t.Errorf("%s has no sabotage", claim.Name)
		}
		for _, s := range claim.Sabotages {
			r := virtually(t, []Claim{claim}, s.Change, nil).Claims[0]
			if r.Verdict == plain.Verdict || s.Want != "" && r.alone() != s.Want {
				t.Errorf("%s, %s: %s (figures alone: %s), want %q and not %s", claim.Name, s.Name, r.Verdict, r.alone(), s.Want, plain.Verdict)
			}
		}
	}
}
