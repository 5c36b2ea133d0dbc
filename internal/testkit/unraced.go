package testkit

import "testing"

// Unraced skips a test, or a case of it, under the race detector, which makes it some five times as slow: what it checks are outcomes of code that the
// detector sees run in the sibling, a test of the same package. `.ci/run test` runs each test that calls it once more without the detector.
func Unraced(t testing.TB, sibling string) {
	t.Helper()
	if raced {
		t.Skipf("not under the race detector, which sees the same code run in %s", sibling)
	}
}

// Few is all of the cases, or the first few of them under the race detector, which sees in them the code that the others run. `.ci/run test` runs each
// test that calls it once more without the detector.
func Few[Case any](few int, all []Case) []Case {
	if raced {
		return all[:min(few, len(all))]
	}
	return all
}

// Times is how often something is done, or how much of it, or the few that are enough under the race detector. `.ci/run test` runs each test that calls
// it once more without the detector.
func Times(few, all int) int {
	if raced {
		return min(few, all)
	}
	return all
}
