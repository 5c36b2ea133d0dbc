package watch

import (
	"testing"
	"time"
)

// TestUntilEndWaitsForNoWindow: a watcher that ends with its topic ends some seconds after the last verdict, and tells what became of each trace. Where a
// known group has not handled a message, the window decides.
func TestUntilEndWaitsForNoWindow(t *testing.T) {
	inGroup(t, func(g *group) {
		s := newStream(g)
		s.send(10, func(int) {})
		began := time.Now()
		if sums := s.finish(); sums.Traces.Judged != 10 || sums.Traces.Parts != 10 || sums.Traces.Open != 0 {
			t.Errorf("the sums are %s", sums)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestUntilEndWaitsForTheOthers: what another watcher of the group has to judge is waited for, too.
func TestUntilEndWaitsForTheOthers(t *testing.T) {
	inGroup(t, func(g *group) {
		other := g.start("other", nil)
		s := newStream(g)
		s.send(20, func(int) {})
		sums := s.finish()
		other.stop()
		if judged := sums.Traces.Judged + other.sums.Traces.Judged; judged < 20 || other.sums.Traces.Judged == 0 || sums.Traces.Judged == 0 {
			t.Errorf("%s\nand %s", sums, other.sums)
		}
	})
}
