//go:build race

package experiments

// racing tells that the race detector makes everything slow.
const racing = true
