package lab

import "testing"

// TestABacklogIsBounded adds more than it may hold while nobody takes anything: the oldest go, and every span is taken,
// waits or is counted.
func TestABacklogIsBounded(t *testing.T) {
	b := newBacklog(100)
	first, more := b.next()
	if first != nil {
		t.Fatal("an empty backlog has a batch")
	}
	for i := range 30 {
		b.add(make([]byte, 10), i)
	}
	select {
	case <-more:
	default:
		t.Error("nobody hears that there is a batch")
	}
	if b.size != 100 || b.droppedSpans() != 19*20/2 {
		t.Errorf("%d bytes wait, %d spans were dropped: want 100 and the %d spans of the first 20 batches", b.size, b.droppedSpans(), 19*20/2)
	}
	taken := 0
	for batch, _ := b.next(); batch != nil; batch, _ = b.next() {
		taken++
	}
	if taken != 10 || b.size != 0 {
		t.Errorf("%d batches were taken, %d bytes wait", taken, b.size)
	}
	b.add(make([]byte, 101), 7) // larger than all that may wait
	if batch, _ := b.next(); batch != nil || b.droppedSpans() != 190+7 {
		t.Errorf("a batch of %d bytes waits, %d spans were dropped", len(batch), b.droppedSpans())
	}
}
