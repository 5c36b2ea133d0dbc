package lab

import "sync"

// backlogLimit is how many bytes of spans wait for an OTLP endpoint at the most.
const backlogLimit = 64 << 20

// backlog holds batches of spans until the one who sends them on has taken them. It never holds up who adds: when it is
// full, the oldest batches are dropped and counted.
type backlog struct {
	limit int // bytes

	mu      sync.Mutex
	batches [][]byte // that wait; a dropped one is nil
	first   int      // the number of batches[0]
	size    int      // bytes that wait
	dropped int      // spans
	changed chan struct{}
}

func newBacklog(limit int) *backlog { return &backlog{limit: limit, changed: make(chan struct{})} }

// add puts a batch behind the others.
func (b *backlog) add(batch []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.batches = append(b.batches, batch)
	b.size += len(batch)
	for i := 0; b.size > b.limit && i < len(b.batches); i++ {
		b.drop(i)
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *backlog) drop(i int) {
	if b.batches[i] == nil {
		return
	}
	if traces, err := decode(b.batches[i]); err == nil {
		b.dropped += traces.SpanCount()
	}
	b.size -= len(b.batches[i])
	b.batches[i] = nil
}

// from returns the batches from the n-th on, and a channel that is closed when there are more. Those before are done
// with, and no longer held.
func (b *backlog) from(n int) (batches [][]byte, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ; b.first < n; b.first++ {
		b.size -= len(b.batches[0])
		b.batches[0] = nil
		b.batches = b.batches[1:]
	}
	return append([][]byte(nil), b.batches...), b.changed
}

// droppedSpans is how many spans were dropped.
func (b *backlog) droppedSpans() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
