//go:build race

package testmain

import (
	"runtime"
	"syscall"
)

// raceFound is the status of a process in which the race detector has found something.
const raceFound = 66

// Exit ends the process with a status, or with that of a race that was found in it. It fits goleak.Cleanup.
func Exit(status int) {
	if status == 0 && runtime.RaceErrors() > 0 {
		status = raceFound
	}
	syscall.Exit(status) // os.Exit would wait
}
