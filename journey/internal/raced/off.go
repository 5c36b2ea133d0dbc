//go:build !race

package raced

// on tells whether the race detector watches this process.
const on = false
