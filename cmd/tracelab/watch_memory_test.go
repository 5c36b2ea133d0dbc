package main

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestRareCollections: a watcher collects garbage less often than Go does by itself, within the memory that it may use; the variables go before.
func TestRareCollections(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	now := func() (percent int, limit int64) {
		percent = debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		return percent, debug.SetMemoryLimit(-1)
	}
	for _, c := range []struct {
		gogc, gomemlimit string
		spans            int64
		percent          int
		limited          bool
	}{
		{"", "", 1, 400, true},
		{"50", "", 1, 100, true}, // Go itself reads the variable, at the start
		{"", "900MiB", 1, 400, false},
	} {
		t.Setenv("GOGC", c.gogc)
		t.Setenv("GOMEMLIMIT", c.gomemlimit)
		restore := rareCollections(c.spans)
		if percent, limit := now(); percent != c.percent || (limit < math.MaxInt64) != c.limited {
			t.Errorf("GOGC=%s GOMEMLIMIT=%s: %d %% up to %d bytes", c.gogc, c.gomemlimit, percent, limit)
		}
		restore()
		if percent, limit := now(); percent != 100 || limit != math.MaxInt64 {
			t.Errorf("afterwards: %d %% up to %d bytes", percent, limit)
		}
	}
	t.Setenv("GOMEMLIMIT", "")
	defer rareCollections(1 << 50)()
	if _, limit := now(); limit != 2<<50 {
		t.Errorf("the limit is %d bytes, want twice that of the spans", limit)
	}
}
