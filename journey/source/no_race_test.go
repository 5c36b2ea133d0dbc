//go:build !race

package source_test

// raced says that the race detector watches.
const raced = false
