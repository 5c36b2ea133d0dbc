//go:build race

package experiments

// raced tells whether the race detector watches, under which a run in virtual time takes many times as long.
const raced = true
