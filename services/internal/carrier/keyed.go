package carrier

import (
	"context"
	"fmt"
	"sync"
)

// keyed runs work on a bounded number of goroutines, one piece at a time for each key, in the order given. A piece that waits for a time, not
// for a processor, can be parked: others take its slot and those of the pieces behind it in its key, which keep their order.
type keyed struct {
	slots   chan struct{} // one for each piece of work that has not ended and is not parked
	parking chan struct{} // one for each piece that was parked, until it ends
	again   chan struct{} // one for each of those that is running again
	mu      *sync.Mutex
	keys    map[string]*line // a key is present while a piece of it has not ended
}

// line is the work of one key.
type line struct {
	parked  bool     // the first piece is
	givenUp bool     // a piece was
	behind  []*piece // of the first one
}

func newKeyed(workers, parking int) keyed {
	return keyed{slots: make(chan struct{}, workers), parking: make(chan struct{}, parking), again: make(chan struct{}, workers),
		mu: &sync.Mutex{}, keys: map[string]*line{}}
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

// run takes a piece of work. leaving ends when it is to be given up.
func (k keyed) run(leaving context.Context, key string, work func(*piece)) {
	k.slots <- struct{}{}
	p := &piece{keyed: k, key: key, work: work}
	k.mu.Lock()
	defer k.mu.Unlock()
	if l, running := k.keys[key]; running {
		l.behind = append(l.behind, p)
		if l.parked {
			p.giveSlot()
		}
		return
	}
	// When it is leaving already, one before it may have been given up, and its line is gone.
	k.keys[key] = &line{givenUp: leaving.Err() != nil}
	go k.work(p)
}

// work runs a key's pieces one after another until there are none.
func (k keyed) work(p *piece) {
	for p != nil {
		p.resume(context.Background())
		p.work(p)
		next := k.next(p.key)
		p.leave()
		p = next
	}
}

func (k keyed) next(key string) *piece {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.keys[key]
	if len(l.behind) == 0 {
		delete(k.keys, key)
		return nil
	}
	next := l.behind[0]
	l.behind, l.parked = l.behind[1:], false
	return next
}

// held is how many pieces have not ended. One that is being parked has both places for a moment.
func (k keyed) held() int { return len(k.slots) + len(k.parking) }

// wait waits until no work is left. run must not be called any more.
func (k keyed) wait(ctx context.Context) error {
	for _, places := range []chan struct{}{k.slots, k.parking} { // a piece with a slot may go to the parking, never back
		if err := fill(ctx, places); err != nil {
			return fmt.Errorf("wait for work: %w", err)
		}
	}
	return nil
}

// fill waits until all places have been free.
func fill(ctx context.Context, places chan struct{}) error {
	taken := 0
	defer func() {
		for range taken {
			<-places
		}
	}()
	for range cap(places) {
		select {
		case places <- struct{}{}:
			taken++
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// piece is a piece of work, and what it takes up.
type piece struct {
	keyed
	key     string
	work    func(*piece)
	parked  bool // its slot is free for others
	running bool // again, after it was parked
}

// park gives the slots of a running piece, and of those behind it, to others. When too many are parked, they keep their slots: then less is
// taken.
func (p *piece) park() {
	if p == nil { // of a batch, which has no slot
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	l := p.keys[p.key]
	l.parked = true
	p.giveSlot()
	for _, behind := range l.behind {
		behind.giveSlot()
	}
}

// giveSlot parks a piece if there is a place.
func (p *piece) giveSlot() {
	if p.parked {
		return
	}
	select {
	case p.parking <- struct{}{}:
		p.parked = true
		<-p.slots
	default:
	}
}

// resume waits until a parked piece may go on: as many of them run at a time as there are slots. It reports false when the context ends first.
func (p *piece) resume(ctx context.Context) bool {
	if p == nil {
		return true
	}
	if p.parked && !p.running {
		select {
		case p.again <- struct{}{}:
			p.running = true
		case <-ctx.Done():
			return false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[p.key].parked = false
	return true
}

// stop ends the running of a parked piece.
func (p *piece) stop() {
	if p.running {
		<-p.again
		p.running = false
	}
}

// leave gives back what the piece has.
func (p *piece) leave() {
	p.stop()
	if p.parked {
		<-p.parking
		return
	}
	<-p.slots
}

// giveUp notes that the piece was given up: somebody else does its work.
func (p *piece) giveUp() {
	if p == nil { // of a batch
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[p.key].givenUp = true
}

// behindGivenUp tells whether a piece before this one, in its key, was given up, or may have been.
func (p *piece) behindGivenUp() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[p.key].givenUp
}
