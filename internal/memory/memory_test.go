package memory

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestTheLowerLimitCounts(t *testing.T) {
	before := debug.SetMemoryLimit(64 << 20)
	defer debug.SetMemoryLimit(before)
	if got := Limit(); got <= 0 || got > 64<<20 {
		t.Errorf("%d bytes with a GOMEMLIMIT of 64 MiB", got)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	if got := Limit(); got < 0 || got == math.MaxInt64 {
		t.Errorf("%d bytes without GOMEMLIMIT, want those of the control group, or 0", got)
	}
}

// TestTheMachineHasMemory: by all systems that the program is released for.
func TestTheMachineHasMemory(t *testing.T) {
	if got := OfMachine(); got < 64<<20 {
		t.Errorf("%d bytes", got)
	}
}
