package store

import (
	"context"
	"math"
	"slices"
	"sort"
	"sync"
	"time"
)

// Memory keeps everything in memory, for one process.
type Memory struct {
	id     string
	limits Limits

	mu    sync.Mutex
	units map[string]*Unit
	order []*Unit // by age; nil where one is forgotten
	gaps  int     // in order
	last  uint64  // place of the youngest
	keys  map[Key]*Reservation
	sums  runSums
	notes notes
	box   []Message // by age
	sent  uint64    // number of the youngest message
}

// NewMemory makes an empty store.
func NewMemory(limits Limits) *Memory {
	limits = limits.atLeastOne()
	return &Memory{id: newID(), limits: limits, units: map[string]*Unit{}, keys: map[Key]*Reservation{}, notes: newNotes(limits.Effects)}
}

// About tells what the store is.
func (m *Memory) About() About { return About{ID: m.id, Name: "memory", Holder: 1} }

// Close does nothing.
func (m *Memory) Close() error { return nil }

// Room tells whether a unit can be added.
func (m *Memory) Room(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.room()
}

// room makes room for one more unit, if it can: the oldest final unit is forgotten, or the oldest that has been pending for long.
func (m *Memory) room() error {
	if len(m.units) < m.limits.Units {
		return nil
	}
	at := slices.IndexFunc(m.order, func(u *Unit) bool { return u != nil && u.Final })
	if at < 0 {
		at = slices.IndexFunc(m.order, func(u *Unit) bool { return u != nil })
		if at < 0 || time.Since(m.order[at].Since) < PendingFor {
			return ErrFull
		}
	}
	old := m.order[at]
	delete(m.units, old.ID)
	delete(m.keys, old.Key)
	m.sums.of(old.Run, old.Form)[SumForgotten]++
	m.order[at] = nil
	if at == 0 {
		m.order = m.order[1:]
		return nil
	}
	if m.gaps++; m.gaps > len(m.order)/2 {
		m.order, m.gaps = slices.DeleteFunc(m.order, func(u *Unit) bool { return u == nil }), 0
	}
	return nil
}

// Reserve reserves a key.
func (m *Memory) Reserve(_ context.Context, r Reservation) (held Reservation, taken bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, ok := m.keys[r.Key]; ok {
		return *before, false, nil
	}
	m.keys[r.Key] = &r
	return r, true, nil
}

// Release frees a key.
func (m *Memory) Release(_ context.Context, key Key, unit string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.keys[key]; r != nil && r.Unit == unit {
		delete(m.keys, key)
	}
	return nil
}

// Answer keeps the answer to a key.
func (m *Memory) Answer(_ context.Context, key Key, unit string, answer []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.keys[key]; r != nil && r.Unit == unit {
		r.Answer = slices.Clone(answer)
	}
	return nil
}

// Create adds a unit.
func (m *Memory) Create(_ context.Context, u *Unit, sums Sums, messages ...Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.keys[u.Key]; u.Key != (Key{}) && (r == nil || r.Unit != u.ID) {
		return ErrNotReserved
	}
	if len(messages) > 0 && len(m.box)+len(messages) > m.limits.Messages {
		return ErrOutboxFull
	}
	if err := m.room(); err != nil {
		return err
	}
	m.last++
	u.Place = m.last
	added := u.clone()
	m.units[u.ID] = added
	m.order = append(m.order, added)
	m.sums.of(u.Run, u.Form).add(sums)
	m.enqueue(messages)
	return nil
}

// Update changes a unit in place.
func (m *Memory) Update(_ context.Context, id string, change func(*Unit) (Sums, bool)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.units[id]
	if u == nil {
		return ErrUnknown
	}
	if sums, _ := change(u); len(sums) > 0 {
		m.sums.of(u.Run, u.Form).add(sums)
	}
	return nil
}

// Get returns a copy of a unit.
func (m *Memory) Get(_ context.Context, id string) (*Unit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.units[id]
	if u == nil {
		return nil, ErrUnknown
	}
	return u.clone(), nil
}

// Page lists a run's units.
func (m *Memory) Page(_ context.Context, run string, after uint64, limit int) (units []*Unit, next uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.order[m.behind(after):] {
		if u == nil || u.Run != run {
			continue
		}
		if len(units) == limit {
			return units, next, nil
		}
		units = append(units, u.clone())
		next = u.Place
	}
	return units, 0, nil
}

// behind is where the units behind a place begin. Places grow by one, and gaps keep theirs until they are closed.
func (m *Memory) behind(place uint64) int {
	for at := range m.order { // the first that is there tells where its neighbors are
		if m.order[at] == nil {
			continue
		}
		return at + sort.Search(len(m.order)-at, func(i int) bool { return m.placeAt(at+i) > place })
	}
	return len(m.order)
}

// placeAt is the place of a unit, or of the next one behind a gap.
func (m *Memory) placeAt(at int) uint64 {
	for ; at < len(m.order); at++ {
		if m.order[at] != nil {
			return m.order[at].Place
		}
	}
	return math.MaxUint64
}

// Sums returns a copy of a run's sums.
func (m *Memory) Sums(_ context.Context, run string) (map[string]Sums, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sums.copyOf(run), nil
}

// Count adds to the sums of a form.
func (m *Memory) Count(_ context.Context, run, form string, sums Sums) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sums.of(run, form).add(sums)
	return nil
}

// Pending counts the units since a time that are not final.
func (m *Memory) Pending(_ context.Context, since time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, u := range m.units {
		if !u.Final && !u.Since.Before(since) {
			n++
		}
	}
	return n, nil
}

// Disown says that nobody goes on with the units that this process held.
func (m *Memory) Disown(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.units {
		if !u.Final && u.Holder != 0 {
			u.Holder = gone
		}
	}
	return nil
}

// Lost counts the units of a run that were disowned.
func (m *Memory) Lost(_ context.Context, run string) (map[string]int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lost := map[string]int{}
	for _, u := range m.units {
		if !u.Final && u.Holder == gone && u.Run == run {
			lost[u.Form]++
		}
	}
	return lost, nil
}
