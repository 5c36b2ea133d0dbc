package carrier

import (
	"context"
	"fmt"
	"sync"
)

// keyed runs work on a bounded number of goroutines, one piece at a time for each key, in the order given.
type keyed struct {
	slots chan struct{} // one for each piece of work that has not ended
	mu    *sync.Mutex
	queue map[string][]func() // by key, the work that waits for the running piece; a key is present while a piece of it runs
}

func newKeyed(workers int) keyed {
	return keyed{slots: make(chan struct{}, workers), mu: &sync.Mutex{}, queue: map[string][]func(){}}
}

// room waits until at least one piece of work can be taken, and returns how many can; 0 when the context ends.
func (k keyed) room(ctx context.Context) int {
	select {
	case k.slots <- struct{}{}:
		<-k.slots
		// Only the caller takes slots, so the room can only grow until it does.
		return max(1, cap(k.slots)-len(k.slots))
	case <-ctx.Done():
		return 0
	}
}

// run takes a piece of work.
func (k keyed) run(key string, work func()) {
	k.slots <- struct{}{}
	k.mu.Lock()
	defer k.mu.Unlock()
	if behind, running := k.queue[key]; running {
		k.queue[key] = append(behind, work)
		return
	}
	k.queue[key] = nil
	go k.work(key, work)
}

// work runs a key's pieces one after another until there are none.
func (k keyed) work(key string, work func()) {
	for work != nil {
		work()
		work = k.next(key)
		<-k.slots
	}
}

func (k keyed) next(key string) func() {
	k.mu.Lock()
	defer k.mu.Unlock()
	behind := k.queue[key]
	if len(behind) == 0 {
		delete(k.queue, key)
		return nil
	}
	k.queue[key] = behind[1:]
	return behind[0]
}

// wait waits until no work is left. run must not be called any more.
func (k keyed) wait(ctx context.Context) error {
	for i := range cap(k.slots) {
		select {
		case k.slots <- struct{}{}:
		case <-ctx.Done():
			for range i {
				<-k.slots
			}
			return fmt.Errorf("wait for work: %w", context.Cause(ctx))
		}
	}
	for range cap(k.slots) {
		<-k.slots
	}
	return nil
}
