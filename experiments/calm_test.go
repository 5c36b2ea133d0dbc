package experiments

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tracelab/experiments/verdict"
	"tracelab/journey/format"
)

// inVirtualTime are the calm claims, with the verdicts that they have where no machine is short of anything. Links are no part of a virtual
// network, and CPU time is not measured in it: distance and batch-log have tests of their own.
func inVirtualTime() map[string]verdict.Word {
	return map[string]verdict.Word{
		"caller-wait": verdict.Holds, "completion": verdict.DoesNotHold, "reply": verdict.Holds, "freshness": verdict.DoesNotHold, "hops": verdict.DoesNotHold,
		"extra-parts": verdict.Holds, "failing-service": verdict.Holds, "hybrid-checkout": verdict.Holds, "fan-out": verdict.Holds, "chain-length": verdict.Holds,
		"aggregation": verdict.Holds, "hard-to-follow": verdict.Holds,
		"eventual-consistency": verdict.NotShown, // 24 orders are too few for a bound of 5 %
	}
}

func claimsNamed(t *testing.T, names ...string) []Claim {
	t.Helper()
	list, err := Named(names...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// alone is the word on the figures of a report, whatever its gates say.
func (r *Report) alone() verdict.Word {
	var parts []verdict.Part
	for _, p := range r.verdict.Parts {
		parts = append(parts, p.Part)
	}
	return verdict.Judge(nil, parts...).Word
}

// figuresSay is the word on the figures of a report with what it stands on, whatever its gates say.
func (r *Report) figuresSay() string {
	var parts []verdict.Part
	for _, p := range r.verdict.Parts {
		parts = append(parts, p.Part)
	}
	v := verdict.Judge(nil, parts...)
	return string(v.Word) + ": " + v.Why()
}

// In virtual time the verdicts do not depend on a machine, the model is right, and each claim's traces show what it says.
func TestCalmClaims(t *testing.T) {
	t.Parallel() // in virtual time
	want := inVirtualTime()
	few := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(name string) bool { return name == "fan-out" }) // whose interval is wider

	if raced { // the stage claims of .ci/run does all of it
		few = []string{"caller-wait", "completion", "reply", "freshness", "hops", "extra-parts"} // all of them read one run
	}
	reports := virtually(t, claimsNamed(t, few...), nil, func(s *Settings) { s.Orders = 24 }).Claims
	if !raced {
		reports = append(reports, virtually(t, claimsNamed(t, "fan-out"), nil, func(s *Settings) { s.Orders = 48 }).Claims...)
	}
	for _, r := range reports {
		if r.Verdict != want[r.Name] {
			t.Errorf("%s: %s, want %s: %s\n%+v", r.Name, r.Verdict, want[r.Name], r.Why, r.Failed())
		}
		if r.Evidence == nil || r.Evidence.Seen == 0 || r.Evidence.Seen < r.Evidence.Of {
			t.Errorf("%s: not all journeys show it: %+v", r.Name, r.Evidence)
		}
		fitsAScreen(t, r)
	}
}

// fitsAScreen holds that a verdict has at most 50 lines of 80 columns; a command to type is not broken.
func fitsAScreen(t *testing.T, r Report) {
	t.Helper()
	var text strings.Builder
	if err := r.WriteText(&text, format.Style{Width: 80}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	for _, line := range lines {
		if utf8.RuneCountInString(line) > 80 && !strings.Contains(line, " journey ") {
			t.Errorf("%s: a line of %d columns: %s", r.Name, utf8.RuneCountInString(line), line)
		}
	}
	if len(lines) > 50 {
		t.Errorf("%s takes %d lines:\n%s", r.Name, len(lines), text.String())
	}
}

// unpredicted are claims without the gates on their residuals, which a changed lab fails anyway, and without a run for their constants.
func unpredicted(claims []Claim) []Claim {
	for i := range claims {
		claims[i].Predict = nil
	}
	return claims
}

// sabotaged are the claims that are sabotaged in virtual time: batch-log, too, whose waits show it whatever the CPU time is.
func sabotaged() []string { return append(slices.Sorted(maps.Keys(inVirtualTime())), "batch-log") }

// few makes a claim's labs small: as many orders as its intervals need.
func few(claim string) func(*Settings) {
	return func(s *Settings) {
		if claim != "eventual-consistency" {
			s.Orders, s.Seeds = 12, 2
		}
	}
}

// slowly skips a test of many labs under the race detector, for which those of TestCalmClaims are enough. The stage claims of .ci/run runs it.
func slowly(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("too many labs for the race detector: run it without")
	}
}

// Where the arms do not differ, nothing holds: a claim that did would hold by chance or by its own making.
func TestAlikeArmsShowNothing(t *testing.T) {
	slowly(t)
	shared := []string{"caller-wait", "completion", "reply", "freshness", "hops", "extra-parts"} // all of them read one run
	groups := [][]string{shared}
	for _, name := range sabotaged() {
		if !slices.Contains(shared, name) {
			groups = append(groups, []string{name})
		}
	}
	for _, names := range groups {
		t.Run(names[0], func(t *testing.T) {
			t.Parallel()
			claims := unpredicted(claimsNamed(t, names...))
			for _, r := range virtually(t, claims, claims[0].Alike, few(names[0])).Claims {
				if r.Verdict == verdict.Holds || r.alone() == verdict.Holds {
					t.Errorf("%s: %s with arms that are alike: %s", r.Name, r.alone(), r.Why)
				}
			}
		})
	}
}

// Each sabotage changes the verdict, and what the figures alone say.
func TestSabotages(t *testing.T) {
	slowly(t)
	for _, name := range sabotaged() {
		plain := cmp.Or(inVirtualTime()[name], verdict.Holds)
		claims := unpredicted(claimsNamed(t, name))
		if len(claims[0].Sabotages) == 0 {
			t.Errorf("%s has no sabotage", name)
		}
		for _, s := range claims[0].Sabotages {
			t.Run(name+", "+s.Name, func(t *testing.T) {
				t.Parallel()
				r := virtually(t, claims, s.Change, few(name)).Claims[0]
				if r.Verdict == plain || r.alone() == plain || s.Want != "" && r.alone() != s.Want {
					t.Errorf("%s (figures alone: %s), want %q and not %s: %s", r.Verdict, r.alone(), s.Want, plain, r.Why)
				}
			})
		}
	}
}
