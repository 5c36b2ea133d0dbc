//go:build unix

package experiments

import (
	"syscall"
	"time"
)

// cpuTime is the CPU time that the process has used, 0 where the system does not tell.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
