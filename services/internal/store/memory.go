package store

import (
	"crypto/sha256"
	"sync"
)

// Memory keeps notes in memory. It has two generations of limit notes each: when the younger is full, the older is
// forgotten.
type Memory struct {
	mu           sync.Mutex
	limit        int
	young, older map[noteKey]uint64
}

// noteKey stands for a unit and a step: 128 bits, so that a note takes about 60 bytes whatever the unit's id is.
type noteKey [16]byte

// NoteBytes is about how many bytes a note takes in memory.
const NoteBytes = 64

// NewMemory makes a store of up to 2 × limit notes.
func NewMemory(limit int) *Memory {
	return &Memory{limit: max(1, limit), young: map[noteKey]uint64{}}
}

func keyOf(unit, step string) noteKey {
	sum := sha256.Sum256([]byte(step + "\x00" + unit))
	return noteKey(sum[:16])
}

// Find returns the handling that had the effect.
func (m *Memory) Find(unit, step string) (uint64, error) {
	key := keyOf(unit, step)
	m.mu.Lock()
	defer m.mu.Unlock()
	if handling, ok := m.young[key]; ok {
		return handling, nil
	}
	return m.older[key], nil
}

// Put notes the handling that had the effect.
func (m *Memory) Put(unit, step string, handling uint64) error {
	key := keyOf(unit, step)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.limit {
		m.young, m.older = map[noteKey]uint64{}, m.young
	}
	m.young[key] = handling
	return nil
}

// Close does nothing.
func (m *Memory) Close() error { return nil }
