package store

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
)

// notes are effects in memory. There are two generations of limit notes each: when the younger is full, the older is forgotten.
type notes struct {
	limit        int
	young, older map[noteKey]uint64
}

// noteKey stands for a unit and a step: 128 bits, so that a note takes about 60 bytes whatever the unit's id is.
type noteKey [16]byte

// NoteBytes is about how many bytes a note takes in memory.
const NoteBytes = 64

func newNotes(limit int) notes { return notes{limit: limit, young: map[noteKey]uint64{}} }

func noteKeyOf(unit, step string) noteKey {
	sum := sha256.Sum256([]byte(step + "\x00" + unit))
	return noteKey(sum[:16])
}

func (n *notes) find(key noteKey) uint64 {
	if handling, ok := n.young[key]; ok {
		return handling
	}
	return n.older[key]
}

// Find returns the handling that had the effect.
func (m *Memory) Find(_ context.Context, unit, step string) (uint64, error) {
	key := noteKeyOf(unit, step)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes.find(key), nil
}

// Put notes the handling that had the effect, unless another one had it.
func (m *Memory) Put(_ context.Context, unit, step string, handling uint64) (uint64, error) {
	key := noteKeyOf(unit, step)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := &m.notes
	if before := n.find(key); before != 0 {
		return before, nil
	}
	if len(n.young) >= n.limit {
		n.young, n.older = map[noteKey]uint64{}, n.young
	}
	n.young[key] = handling
	return handling, nil
}

// runSums are the sums of the last runs. They are kept apart from the units, of which old ones are forgotten.
type runSums struct {
	runs  map[string]map[string]Sums // by run and form
	byAge []string
}

// of returns the sums of a form in a run, to be changed.
func (s *runSums) of(run, form string) Sums {
	forms := s.runs[run]
	if forms == nil {
		if s.runs == nil {
			s.runs = map[string]map[string]Sums{}
		}
		if len(s.byAge) >= MostRuns {
			delete(s.runs, s.byAge[0])
			s.byAge = slices.Delete(s.byAge, 0, 1)
		}
		forms = map[string]Sums{}
		s.runs[run] = forms
		s.byAge = append(s.byAge, run)
	}
	if forms[form] == nil {
		forms[form] = Sums{}
	}
	return forms[form]
}

func (s *runSums) copyOf(run string) map[string]Sums {
	copied := map[string]Sums{}
	for form, sums := range s.runs[run] {
		copied[form] = maps.Clone(sums)
	}
	return copied
}
