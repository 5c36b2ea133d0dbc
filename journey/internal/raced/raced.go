// Package raced leaves out tests under the race detector that it can find nothing in.
package raced

import "testing"

// OneGoroutine skips a long test in which everything happens in one goroutine, so that no race is possible, under the race detector, which makes it some
// five times as slow. `.ci/run test` tests the whole module without the detector, too.
func OneGoroutine(t testing.TB) {
	t.Helper()
	if on {
		t.Skip("not under the race detector: all happens in one goroutine")
	}
}
