package experiments

import (
	"testing"
	"time"

	"tracelab/experiments/verdict"
)

// Links are proxies on the real network. With arms that are alike, or that are not far, the claim does not hold.
func TestDistanceWithoutADifference(t *testing.T) {
	slowly(t)
	claim := unpredicted([]Claim{distance()})[0]
	claim.Size.Orders, claim.Size.Rate = 8, 40
	for name, tamper := range map[string]Sabotage{"alike": {Change: claim.Alike}, "carried by calls": claim.Sabotages[0], "nothing is far": claim.Sabotages[1]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := Run(t.Context(), Settings{Out: t.TempDir(), tamper: tamper.Change}, []Claim{claim}, func(r Report) error {
				if r.Verdict == verdict.Holds || r.alone() == verdict.Holds {
					t.Errorf("%s: %s", r.alone(), r.Why)
				}
				return nil
			})
			if err != nil {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
		})
	}
}
