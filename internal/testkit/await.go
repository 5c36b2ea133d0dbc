// Package testkit holds what tests of several rooms need.
package testkit

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tracelab/internal/freeport"
	"tracelab/internal/poll"
)

// pollInterval is the time between two looks at a condition.
const pollInterval = 20 * time.Millisecond

// Await looks again and again until the condition returns nil, and ends the test when it does not within that time.
func Await(t testing.TB, what string, within time.Duration, condition func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), within, fmt.Errorf("not within %v", within))
	defer cancel()
	if err := poll.Until(ctx, pollInterval, condition); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// FreePorts returns n addresses host:port on 127.0.0.1 where nobody listens, with consecutive ports.
func FreePorts(t testing.TB, n int) []string {
	t.Helper()
	addresses, err := freeport.InARow(n)
	if err != nil {
		t.Fatal(err)
	}
	return addresses
}

// FreePort returns one address host:port on 127.0.0.1 where nobody listens.
func FreePort(t testing.TB) string {
	t.Helper()
	return FreePorts(t, 1)[0]
}
