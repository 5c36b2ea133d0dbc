// Package testmain ends the processes of tests at once. With the race detector the end of a process takes a second more, in which goroutines that
// outlived all tests might still race; in a workspace of many packages that is half a minute of waiting. Where package goleak looks, there are none.
package testmain

import (
	"flag"
	"testing"
)

// Run runs the tests of a package and ends the process.
func Run(m *testing.M) { Exit(m.Run()) }

// Waiting lets four tests that call t.Parallel run side by side, whatever the number of processors: for a package whose tests mostly wait, as go test
// runs no other package in the time of one that waits. Call it before flags are parsed, so that -parallel on the command line still counts.
func Waiting() {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err) //nolint:forbidigo // the testing package has that flag
	}
}
