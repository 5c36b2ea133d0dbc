package services

import (
	"context"

	"tracelab/internal/process"
	"tracelab/services/internal/store"
)

// mortal is a store as a service of this process sees it: once the service was killed, nothing that its goroutines still do is kept.
type mortal struct {
	store.Store
	life *process.Process
}

// Put notes an effect.
func (m mortal) Put(ctx context.Context, unit, step string, handling uint64) (uint64, error) {
	if !m.life.Alive() {
		return 0, process.ErrKilled
	}
	return m.Store.Put(ctx, unit, step, handling)
}

// Answer keeps an answer.
func (m mortal) Answer(ctx context.Context, key store.Key, unit string, answer []byte) error {
	if !m.life.Alive() {
		return process.ErrKilled
	}
	return m.Store.Answer(ctx, key, unit, answer)
}

// Create adds a unit.
func (m mortal) Create(ctx context.Context, u *store.Unit, sums store.Sums, messages ...store.Message) error {
	if !m.life.Alive() {
		return process.ErrKilled
	}
	return m.Store.Create(ctx, u, sums, messages...)
}

// Update changes a unit.
func (m mortal) Update(ctx context.Context, id string, change func(*store.Unit) (store.Sums, bool)) error {
	if !m.life.Alive() {
		return process.ErrKilled
	}
	return m.Store.Update(ctx, id, change)
}

// Enqueue puts messages into the outbox.
func (m mortal) Enqueue(ctx context.Context, messages ...store.Message) error {
	if !m.life.Alive() {
		return process.ErrKilled
	}
	return m.Store.Enqueue(ctx, messages...)
}

// Remove removes messages from the outbox.
func (m mortal) Remove(ctx context.Context, ids ...uint64) error {
	if !m.life.Alive() {
		return process.ErrKilled
	}
	return m.Store.Remove(ctx, ids...)
}
