// Package memory says how many bytes this process may use, so that whatever it keeps gets a share of them: it refuses or forgets before it is killed.
package memory

import (
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Limit returns the lower of GOMEMLIMIT and the limit of the process's control group, of either version and of any group above it, in bytes; 0 when there is
// neither.
func Limit() int64 {
	limit := debug.SetMemoryLimit(-1)                                                          // a negative value only reads it
	if group, err := memlimit.FromCgroup(); err == nil && group > 0 && group < math.MaxInt64 { // else there is none, or not on this system
		limit = min(limit, int64(group))
	}
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
}

// OfMachine returns how much memory the machine has, in bytes; 0 when the system does not tell.
func OfMachine() int64 {
	total, err := memlimit.FromSystem()
	if err != nil || total > math.MaxInt64 {
		return 0
	}
	return int64(total)
}
