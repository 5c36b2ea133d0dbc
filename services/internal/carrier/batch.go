package carrier

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Batch says which messages are handled together, and how many at the most.
type Batch struct {
	Topic, Form, Run string // messages that differ in one of these are in different batches
	Size             int
	Wait             time.Duration // of the first message for the others
}

// MaxInBatches is how many messages a consumer holds that are gathered or handled in batches: more wait at the broker.
const MaxInBatches = 1024

// batches gathers messages that are handled together. The zero value is not usable.
type batches struct {
	handle func([]batched, *gathering) // one batch
	places chan struct{}               // one for each message that has not been handled

	mu      sync.Mutex
	open    map[Batch]*gathering // of those with messages that are gathered or handled
	hurried bool                 // nobody waits for company any more
	hurry   chan struct{}        // closed with it
	working sync.WaitGroup
}

// batched is a message that is to be handled with others.
type batched struct {
	Delivery
	since time.Time
	done  func(Outcome)
}

// gathering are the messages of one kind. One batch of them is handled at a time, so that messages of one key keep their order.
type gathering struct {
	waiting []batched
	more    chan struct{}   // gets a value when messages have come
	givenUp map[string]bool // keys of which a message was: those behind it go where it goes
}

func newBatches(handle func([]batched, *gathering)) *batches {
	return &batches{handle: handle, places: make(chan struct{}, MaxInBatches), open: map[Batch]*gathering{}, hurry: make(chan struct{})}
}

// add takes a message as soon as there is a place. It reports false when the context ends first.
func (b *batches) add(ctx context.Context, kind Batch, m batched) bool {
	select {
	case b.places <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	m.since = time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if g, ok := b.open[kind]; ok {
		g.waiting = append(g.waiting, m)
		select {
		case g.more <- struct{}{}:
		default: // it will look anyway
		}
		return true
	}
	g := &gathering{waiting: []batched{m}, more: make(chan struct{}, 1), givenUp: map[string]bool{}}
	if m.Leaving.Err() != nil { // one before it may have been given up, and its gathering is gone
		g.givenUp[m.Key] = true
	}
	b.open[kind] = g
	b.working.Go(func() { b.work(kind, g) })
	return true
}

// work handles the messages of one kind, batch by batch, until there are none.
func (b *batches) work(kind Batch, g *gathering) {
	for {
		batch := b.next(kind, g)
		if batch == nil {
			return
		}
		b.handle(batch, g)
		for range batch {
			<-b.places
		}
	}
}

// next waits until a batch is gathered and takes it out; nil: there are no messages, and the gathering is closed.
func (b *batches) next(kind Batch, g *gathering) []batched {
	for {
		b.mu.Lock()
		n := len(g.waiting)
		if n == 0 {
			delete(b.open, kind)
			b.mu.Unlock()
			return nil
		}
		left := kind.Wait - time.Since(g.waiting[0].since)
		if n >= kind.Size || left <= 0 || b.hurried {
			batch := g.waiting[:min(n, kind.Size)]
			g.waiting = append([]batched(nil), g.waiting[len(batch):]...)
			b.mu.Unlock()
			return batch
		}
		b.mu.Unlock()
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-g.more:
		case <-b.hurry:
		}
		timer.Stop()
	}
}

// finish handles what is gathered at once, and waits for its end. Nobody may call add any more.
func (b *batches) finish(ctx context.Context) error {
	b.mu.Lock()
	if !b.hurried {
		b.hurried = true
		close(b.hurry)
	}
	b.mu.Unlock()
	finished := make(chan struct{})
	go func() { b.working.Wait(); close(finished) }()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for batches: %w", context.Cause(ctx))
	}
}
