//go:build !race

package source_test

// watched says that the race detector watches.
const watched = false
