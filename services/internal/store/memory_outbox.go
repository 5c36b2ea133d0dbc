package store

import (
	"context"
	"slices"
)

// enqueue adds messages. The caller holds the lock.
func (m *Memory) enqueue(messages []Message) {
	for _, message := range messages {
		m.sent++
		message.ID = m.sent
		m.box = append(m.box, message)
	}
}

// Enqueue puts messages into the outbox.
func (m *Memory) Enqueue(_ context.Context, messages ...Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.box)+len(messages) > m.limits.Messages {
		return ErrOutboxFull
	}
	m.enqueue(messages)
	return nil
}

// Waiting returns the oldest messages.
func (m *Memory) Waiting(_ context.Context, limit int) ([]Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.box[:min(limit, len(m.box))]), nil
}

// Remove removes messages.
func (m *Memory) Remove(_ context.Context, ids ...uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.box = slices.DeleteFunc(m.box, func(message Message) bool { return slices.Contains(ids, message.ID) })
	return nil
}

// Adopt finds nothing: there is one process.
func (m *Memory) Adopt(context.Context) (int, error) { return 0, nil }

// Backlog counts the messages.
func (m *Memory) Backlog(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.box), nil
}
