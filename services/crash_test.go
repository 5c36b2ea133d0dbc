package services

import (
	"context"
	"testing"
	"time"

	"tracelab/services/faults"
)

// TestACrashForgets what a service has in memory: without a store that outlives it, what was done and not told of is done again, with effect.
func TestACrashForgets(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		e := in("r", Kafka)
		e.Faults = []faults.Fault{{Service: Payment, Kind: faults.Crash, Value: faults.AfterStore, Share: 1}}
		id := l.place(e, tea).id()
		l.untilWithin(time.Minute, "the order is completed", func() bool { return l.state(id).Status == Completed })
		if n := l.system.Fired("r")[Kafka][e.Faults[0].String()]; n != 1 {
			t.Errorf("fired %d times, want once", n)
		}
		l.awaitRestarts()
		if spans := l.stepSpans(e)[Charge]; len(spans) != 2 || attributes(spans[1])[KeyDuplicate].AsBool() {
			t.Errorf("%d spans of the charge, want two with effect: nobody knows of the first", len(spans))
		}
	})
}

// awaitRestarts waits until services that have crashed are back, with all their groups: a member that is joining cannot leave.
func (l *testLab) awaitRestarts() {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	l.must(l.system.Ready(ctx))
}

// untilWithin waits for a condition that takes longer than others.
func (l *testLab) untilWithin(within time.Duration, what string, holds func() bool) {
	l.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.Fatalf("%s: not so after %v", what, within)
		}
	}
}
