//go:build slow

package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

// What takes seconds of peaks and storms to show runs in virtual time as well, but with thousands of orders: too many for every run of the tests. `task claims:storms` runs them.
func TestClaimsOfPeaksAndStorms(t *testing.T) {
	for _, c := range []struct {
		claim  Claim
		orders int
		want   verdict.Word
	}{
		{slowService(), 70, verdict.Holds}, {surge(), 250, verdict.Holds}, {ride(), 250, verdict.Holds}, {cascade(), 160, verdict.Holds}, {retryStorm(), 400, verdict.DoesNotHold},
		{callerThroughput(), 12, verdict.Holds}, {rateLimit(), 120, verdict.DoesNotHold}, {overloadGoodput(), 90, verdict.Holds}, {provisioning(), 250, verdict.DoesNotHold}, {scaleOut(), 160, verdict.Holds},
	} {
		t.Run(c.claim.Name, func(t *testing.T) { held(t, c.claim, c.want, c.orders) })
	}
}
