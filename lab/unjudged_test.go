package lab

import (
	"slices"
	"testing"
	"testing/synctest"
)

// TestUnjudgedWaits finds that nothing is judged while little waits and orders are placed, and that nothing is lost.
func TestUnjudgedWaits(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		var judged []byte // by their first byte; one goroutine at a time, else the race detector says so
		u := startUnjudged(func(batch []byte) { judged = append(judged, batch[0]) })
		size := unjudgedQuiet / 4
		for i := range byte(4) {
			u.add(append([]byte{i}, make([]byte, size-1)...))
		}
		synctest.Wait()
		if len(judged) != 0 {
			t.Errorf("judged %v, want nothing: as many bytes wait as may", judged)
		}
		u.add(append([]byte{4}, make([]byte, size-1)...))
		synctest.Wait()
		if !slices.Equal(judged, []byte{0}) {
			t.Errorf("judged %v, want the oldest batch: one more than may wait", judged)
		}
		u.placed()
		synctest.Wait()
		if !slices.Equal(judged, []byte{0, 1, 2, 3, 4}) {
			t.Errorf("judged %v, want all of them in their order: the orders are placed", judged)
		}
		u.add([]byte{5})
		u.drain()
		if len(judged) != 6 {
			t.Errorf("judged %v, want 6: drain waits for all", judged)
		}
		u.stop()
	})
}

// TestUnjudgedHasALimit adds more than may wait while the judge is slow.
func TestUnjudgedHasALimit(t *testing.T) {
	var u *unjudged
	judged, most := 0, 0
	ready := make(chan struct{})
	u = startUnjudged(func([]byte) {
		<-ready
		judged++
		u.mu.Lock()
		most = max(most, u.size)
		u.mu.Unlock()
	})
	const batches = 4 * unjudgedLimit / unjudgedQuiet
	batch := make([]byte, unjudgedQuiet)
	for i := range batches {
		if i == unjudgedLimit/unjudgedQuiet {
			close(ready) // until here nobody is held up, whatever the judge does
		}
		u.add(batch)
	}
	u.stop()
	if judged != batches || most > unjudgedLimit+unjudgedQuiet {
		t.Errorf("%d of %d batches judged, %d bytes waited, want no more than the limit of %d and a batch", judged, batches, most, unjudgedLimit)
	}
}
