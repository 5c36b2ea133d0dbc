package lab

import "sync"

const (
	// unjudgedQuiet is how many bytes of spans wait, while orders are placed, before any are judged: some 450 orders.
	unjudgedQuiet = 8 << 20
	// unjudgedLimit is how many bytes wait at the most. Beyond it whoever brings a batch judges one first.
	unjudgedLimit = 32 << 20
)

// unjudged holds batches of spans, as bytes, until there is time to judge them. Judging needs the CPU that the services
// need while orders are placed, so a short run is judged when all of its orders have their answers. A long run is judged
// as it goes, or its spans would not fit into memory.
type unjudged struct {
	judge func(batch []byte)

	turn    sync.Mutex // held by whoever judges a batch: one at a time, in the order in which they came
	mu      sync.Mutex
	batches [][]byte
	size    int // bytes that wait
	quiet   int // bytes that may wait without being judged

	more     chan struct{} // has an element when there may be something to judge
	stopping chan struct{}
	ended    chan struct{}
}

// startUnjudged begins to hold batches, until stop is called.
func startUnjudged(judge func(batch []byte)) *unjudged {
	u := &unjudged{judge: judge, quiet: unjudgedQuiet, more: make(chan struct{}, 1), stopping: make(chan struct{}), ended: make(chan struct{})}
	go u.work()
	return u
}

// add takes a batch.
func (u *unjudged) add(batch []byte) {
	u.mu.Lock()
	u.batches = append(u.batches, batch)
	u.size += len(batch)
	size, quiet := u.size, u.quiet
	u.mu.Unlock()
	if size > quiet {
		u.nudge()
	}
	if size > unjudgedLimit {
		u.judgeOne(0)
	}
}

// placed says that all orders have their answers: from now on batches are judged as they come.
func (u *unjudged) placed() {
	u.mu.Lock()
	u.quiet = 0
	u.mu.Unlock()
	u.nudge()
}

// drain judges everything that was added before.
func (u *unjudged) drain() {
	for u.judgeOne(0) {
	}
}

// stop judges what is left, and ends.
func (u *unjudged) stop() {
	close(u.stopping)
	<-u.ended
	u.drain()
}

func (u *unjudged) nudge() {
	select {
	case u.more <- struct{}{}:
	default:
	}
}

func (u *unjudged) work() {
	defer close(u.ended)
	for {
		select {
		case <-u.more:
		case <-u.stopping:
			return
		}
		for u.judgeOne(u.mayWait()) {
		}
	}
}

func (u *unjudged) mayWait() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.quiet
}

// judgeOne judges the oldest batch, unless no more than so many bytes wait.
func (u *unjudged) judgeOne(enough int) bool {
	u.turn.Lock()
	defer u.turn.Unlock()
	batch, ok := u.next(enough)
	if ok {
		u.judge(batch)
	}
	return ok
}

func (u *unjudged) next(enough int) ([]byte, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.size <= enough || len(u.batches) == 0 {
		return nil, false
	}
	batch := u.batches[0]
	u.batches[0] = nil
	u.batches = u.batches[1:]
	u.size -= len(batch)
	return batch, true
}
