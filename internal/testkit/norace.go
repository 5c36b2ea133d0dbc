//go:build !race

package testkit

// raced tells whether the race detector watches this process.
const raced = false
