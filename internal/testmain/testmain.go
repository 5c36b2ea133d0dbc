// Package testmain ends the processes of tests at once. With the race detector the end of a process takes a second more, in which goroutines that
// outlived all tests might still race; in a workspace of many packages that is half a minute of waiting. Where package goleak looks, there are none.
package testmain

import "testing"

// Run runs the tests of a package and ends the process.
func Run(m *testing.M) { Exit(m.Run()) }
