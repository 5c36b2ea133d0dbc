package experiments

import (
	"flag"
	"slices"
	"testing"

	"tracelab/experiments/verdict"
)

var ledgers = flag.Uint64("ledgers", 20, "how many ledgers TestFalseAlarms draws of each kind; more of them tell rates")

// fed is a claim whose rule is fed with figures from the simulation: of arms that are alike, and of arms that are apart by exactly what the rule draws
// its line at, where a wrong word is likeliest. What would be wrong follows from how the figures are made.
type fed struct {
	claim       Claim
	alike       func(*chance)
	wrong       verdict.Word
	line        func(*chance)
	wrongAtLine verdict.Word
}

// notFed are the claims whose rules stand on complete counts alone, with the reason why no simulation scatters them. Where arms are alike in the lab,
// TestAlikeArmsShowNothing, TestDuplicates and the stack's TestClaimsOfRealBrokers hold that they never hold.
func notFed() map[string]string {
	return map[string]string{
		"hops":            "how often an order crosses the network is counted in its spans, and the same for every order of a form",
		"extra-parts":     "brokers, topics and groups are counted by their names",
		"failing-service": "the seed says which attempts fail, and each answer is compared with it order by order",
		"hard-to-follow":  "how the spans of an order are spread over traces follows from its form and relation, and from nothing that scatters",
		"duplicates":      "what was handled twice is counted in full, and the kill comes where the seed says",
		"brokers":         "orders that were not done, and steps that were done twice, are counted in full; its times are shown and decide nothing",
	}
}

// At most one of 20 ledgers has any wrong holds or does not hold, neither where arms are alike nor where they are at the line.
func TestFalseAlarms(t *testing.T) {
	slowly(t)
	all := slices.Concat(fedWaits(), fedRuns(), fedShares(), fedOutages())
	long := newLongTimes(t)
	for _, kind := range []string{"alike", "at the line"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			wrong, times := 0, map[string]int{}
			for seed := range *ledgers {
				alarms := falseAlarms(t, all, seed+1, kind == "alike", long)
				if len(alarms) > 0 {
					wrong++
				}
				for _, alarm := range alarms {
					times[alarm]++
				}
			}
			t.Logf("%d of %d ledgers of %d claims have a false alarm: %v", wrong, *ledgers, len(all), times)
			if wrong > int(*ledgers/20) {
				t.Errorf("%d of %d ledgers have a false alarm, at most %d: %v", wrong, *ledgers, *ledgers/20, times)
			}
		})
	}
}

// falseAlarms are the wrong verdicts of one ledger, corrected as a ledger is.
func falseAlarms(t *testing.T, all []fed, seed uint64, alike bool, long longTimes) []string {
	t.Helper()
	verdicts := make([]verdict.Verdict, len(all))
	for i, c := range all {
		s := &chance{t: t, seed: seed, drawn: uint64(i) * 10_000, long: long}
		if alike {
			c.alike(s)
		} else {
			c.line(s)
		}
		verdicts[i] = s.judge(c.claim)
	}
	var alarms []string
	for i, v := range verdict.Correct(verdicts) {
		wrong := all[i].wrong
		if !alike {
			wrong = all[i].wrongAtLine
		}
		if v.Word == wrong {
			alarms = append(alarms, all[i].claim.Name)
		}
	}
	return alarms
}

// Every claim is fed, or the reason is known why it cannot be.
func TestEveryClaimIsFed(t *testing.T) {
	left := notFed()
	for _, c := range slices.Concat(fedWaits(), fedRuns(), fedShares(), fedOutages()) {
		if _, twice := left[c.claim.Name]; twice {
			t.Errorf("%s is fed, and said not to be", c.claim.Name)
		}
		left[c.claim.Name] = "fed"
	}
	for _, c := range All() {
		if left[c.Name] == "" {
			t.Errorf("%s: feed its rule from the simulation, or say in notFed why that cannot be", c.Name)
		}
		delete(left, c.Name)
	}
	if len(left) > 0 {
		t.Errorf("no such claims: %v", left)
	}
}
