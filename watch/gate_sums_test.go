package watch

import (
	"testing"
	"time"
)

// TestWhatTheGateTells counts the partitions that hold verdicts, and for how long these were held.
func TestWhatTheGateTells(t *testing.T) {
	g := newGate(0)
	if g.want(1, 2); g.behindNow(0) != 3 {
		t.Errorf("%d partitions behind before anything is known, want 3", g.behindNow(0))
	}
	g.wrote(0, 0)
	for id := range int32(2) {
		g.heard(int64(id)+1, part{id: id}, mark{AsOf: 1})
	}
	if g.behindNow(0) != 1 {
		t.Errorf("%d partitions behind, want that of the input", g.behindNow(0))
	}
	g.heard(3, part{input: true}, mark{AsOf: 1})
	if g.behindNow(HoldAfter) != 0 || g.behindNow(HoldAfter+1) != 3 {
		t.Errorf("%d and %d partitions behind, want 0 and then 3", g.behindNow(HoldAfter), g.behindNow(HoldAfter+1))
	}
	g.advance(time.Second) // up to date: time passes from here on
	g.advance(2 * time.Second)
	if got := g.heldSum(); got != time.Second {
		t.Errorf("held for %v, want 1s: the second before the group was up to date", got)
	}
}
