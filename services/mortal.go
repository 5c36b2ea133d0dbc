package services

import (
	"context"
	"fmt"
	"sync"

	"tracelab/internal/process"
	"tracelab/services/internal/store"
)

// mortal is a store as a service of this process sees it. After the service is killed, writes by its goroutines are dropped.
type mortal struct {
	store.Store
	life   *process.Process
	writes *writes
}

// writes are the writes of one service that have begun.
type writes struct {
	mu    sync.Mutex // held while a write begins, and while ended changes
	ended bool       // no write may begin
	begun sync.WaitGroup
}

// begin counts a write that begins. It reports false once the writes have ended.
func (w *writes) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.begun.Add(1)
	return true
}

// end waits for the writes of a killed service: until they have ended the store may still change. No other write begins.
func (w *writes) end(ctx context.Context) error {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	ended := make(chan struct{})
	go func() { w.begun.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the store still takes what a killed service has written: %w", context.Cause(ctx))
	}
}

// write writes as long as the service lives.
func (m mortal) write(do func() error) error {
	if !m.writes.begin() {
		return process.ErrKilled
	}
	defer m.writes.begun.Done()
	if !m.life.Alive() {
		return process.ErrKilled
	}
	return do()
}

// Put notes an effect.
func (m mortal) Put(ctx context.Context, unit, step string, handling uint64) (stands uint64, err error) {
	err = m.write(func() (err error) { stands, err = m.Store.Put(ctx, unit, step, handling); return err })
	return stands, err
}

// Answer keeps an answer.
func (m mortal) Answer(ctx context.Context, key store.Key, unit string, answer []byte) error {
	return m.write(func() error { return m.Store.Answer(ctx, key, unit, answer) })
}

// Create adds a unit.
func (m mortal) Create(ctx context.Context, u *store.Unit, sums store.Sums, messages ...store.Message) error {
	return m.write(func() error { return m.Store.Create(ctx, u, sums, messages...) })
}

// Update changes a unit.
func (m mortal) Update(ctx context.Context, id string, change func(*store.Unit) (store.Sums, bool)) error {
	return m.write(func() error { return m.Store.Update(ctx, id, change) })
}

// Enqueue puts messages into the outbox.
func (m mortal) Enqueue(ctx context.Context, messages ...store.Message) error {
	return m.write(func() error { return m.Store.Enqueue(ctx, messages...) })
}

// Remove removes messages from the outbox.
func (m mortal) Remove(ctx context.Context, ids ...uint64) error {
	return m.write(func() error { return m.Store.Remove(ctx, ids...) })
}

// disown tells the store that nobody goes on with the orders that an earlier run of the service held. Writes that it began are finished first.
func (s *System) disown(ctx context.Context, n *node) error {
	s.mu.Lock()
	before := s.before[n.instance]
	s.mu.Unlock()
	if before != nil {
		if err := before.end(ctx); err != nil {
			return err
		}
	}
	return n.store.kept.Disown(ctx)
}

// startsOf is how often an instance was started.
func (s *System) startsOf(instance string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts[instance]
}
