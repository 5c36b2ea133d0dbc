package lab

import "sync"

// backlogLimit is how many bytes of spans wait for an OTLP endpoint at the most.
const backlogLimit = 64 << 20

// backlog holds batches of spans until they are sent on. It never holds up who adds: when it is full, the oldest batches are
// dropped and counted.
type backlog struct {
	limit int // bytes

	mu      sync.Mutex
	waiting []waitingBatch
	size    int // bytes that wait
	dropped int // spans
	changed chan struct{}
}

type waitingBatch struct {
	bytes []byte
	spans int
}

func newBacklog(limit int) *backlog { return &backlog{limit: limit, changed: make(chan struct{})} }

// add puts a batch of so many spans behind the others.
func (b *backlog) add(batch []byte, spans int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, waitingBatch{batch, spans})
	b.size += len(batch)
	for b.size > b.limit {
		b.dropped += b.removeFirst().spans
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// next takes the first batch out. Nil: none waits, and more is closed when one does.
func (b *backlog) next() (batch []byte, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return nil, b.changed
	}
	return b.removeFirst().bytes, b.changed
}

func (b *backlog) removeFirst() waitingBatch {
	first := b.waiting[0]
	b.waiting[0] = waitingBatch{}
	b.waiting = b.waiting[1:]
	b.size -= len(first.bytes)
	return first
}

// droppedSpans is how many spans were dropped.
func (b *backlog) droppedSpans() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
