package lab

import (
	"sync"
	"time"
)

// changeInterval is the shortest time between two changes that are told.
const changeInterval = 100 * time.Millisecond

// changes tells whoever waits that there is something new, at most once in changeInterval.
type changes struct {
	mu      sync.Mutex
	version uint64
	told    time.Time
	timer   *time.Timer   // nil: none is to be told
	next    chan struct{} // closed when it is told
}

func newChanges() *changes { return &changes{next: make(chan struct{})} }

// note notes a change.
func (c *changes) note() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	if c.timer != nil {
		return
	}
	c.timer = time.AfterFunc(max(0, changeInterval-time.Since(c.told)), c.tell)
}

func (c *changes) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil {
		return
	}
	c.timer, c.told = nil, time.Now()
	close(c.next)
	c.next = make(chan struct{})
}

// now is the version, and the channel that is closed after it has changed.
func (c *changes) now() (version uint64, next <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version, c.next
}

// stop tells nothing any more.
func (c *changes) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// Changed returns a channel that is closed when there is a newer snapshot than now, at most ten times a second.
func (l *Live) Changed() <-chan struct{} {
	if !l.open() {
		return nil
	}
	_, next := l.changes.now()
	return next
}
