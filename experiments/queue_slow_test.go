//go:build slow

package experiments

import (
	"math"
	"testing"

	"tracelab/experiments/verdict"
)

// What takes seconds of peaks and storms to show runs in virtual time as well, but with thousands of orders: too many for every run of the tests. `task
// claims:storms` runs them.
func TestClaimsOfPeaksAndStorms(t *testing.T) {
	for _, c := range []struct {
		claim       Claim
		want        verdict.Word
		size, small smaller
	}{
		{slowService(), verdict.Holds, smaller{70, 3}, smaller{70, 2}},
		{surge(), verdict.Holds, smaller{250, 3}, smaller{250, 2}},
		{ride(), verdict.Holds, smaller{250, 3}, smaller{250, 2}},
		{cascade(), verdict.Holds, smaller{160, 3}, smaller{160, 3}},
		{retryStorm(), verdict.DoesNotHold, smaller{400, 2}, smaller{400, 2}},
		{callerThroughput(), verdict.Holds, smaller{12, 3}, smaller{12, 2}},
		{rateLimit(), verdict.DoesNotHold, smaller{120, 3}, smaller{120, 3}},
		{overloadGoodput(), verdict.Holds, smaller{90, 3}, smaller{90, 3}},
		{provisioning(), verdict.Holds, smaller{250, 4}, smaller{250, 3}},
		{scaleOut(), verdict.Holds, smaller{160, 3}, smaller{160, 2}},
	} {
		t.Run(c.claim.Name, func(t *testing.T) {
			t.Parallel()
			held(t, c.claim, c.want, c.size, c.small).asPredicted(t)
		})
	}
}

// asPredicted checks that the lab in virtual time and the simulation say the same, within a tenth or what one order more or less makes. What is fetched
// from partitions scatters more at its longest, since the lab draws other keys.
func (r *Report) asPredicted(t *testing.T) {
	t.Helper()
	least := map[string]float64{"share": 0.06, "ms": 15, "s": 0.06, "orders/s": 2, "workers": 1}
	for _, m := range r.Figures {
		if m.Predicted == nil || m.Measured == nil {
			continue
		}
		share := 0.1
		if m.Measure == peakP99 {
			share = 0.25
		}
		if apart := math.Abs(*m.Residual); apart > max(least[m.Unit], share*math.Abs(*m.Predicted)) {
			t.Errorf("%s, %s: predicted %s, measured %s %s", m.Arm, m.Measure, number(m.Predicted), number(m.Measured), m.Unit)
		}
	}
}
