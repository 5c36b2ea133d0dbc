package watch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestAcksInOrder: a step settles when its writes and those of all steps before it are acknowledged.
func TestAcksInOrder(t *testing.T) {
	var a acks
	var settled []int
	first, second := a.begin(), a.begin()
	a.write(first)
	a.write(second)
	a.end(first, func() { settled = append(settled, 1) })
	a.end(second, func() { settled = append(settled, 2) })
	a.acknowledge(second)
	if len(settled) > 0 {
		t.Errorf("%v are settled before the first one", settled)
	}
	waiting, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := a.wait(waiting); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait: %v", err)
	}
	a.acknowledge(first)
	if err := a.wait(t.Context()); err != nil || !slices.Equal(settled, []int{1, 2}) {
		t.Errorf("%v are settled, %v", settled, err)
	}
}
