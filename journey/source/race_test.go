//go:build race

package source_test

// watched says that the race detector watches, under which reading takes ten times as long. Tests of size are smaller then: at their full size they run
// without it, as one goroutine reads.
const watched = true
