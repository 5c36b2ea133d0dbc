package main

import (
	"os"
	"runtime/debug"

	"tracelab/internal/otlp"
)

// garbagePercent is how much garbage may come to what lives before Go collects it. A watcher makes much garbage beside few spans that live: at Go's own 100 %
// collections take a quarter of its processor time.
const garbagePercent = 400

// rareCollections lets garbage come to garbagePercent, but not beyond the memory that this process may use, nor beyond twice what its spans may take
// where that is more. GOGC and GOMEMLIMIT go before it. The function that it returns takes it back.
func rareCollections(spans int64) (restore func()) {
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(-1)
	most := max(7*otlp.DefaultBudget(), 2*spans) // of eight parts, one is left for what is no heap
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(most)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	} else {
		debug.SetGCPercent(percent)
	}
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
