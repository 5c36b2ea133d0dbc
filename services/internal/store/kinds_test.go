package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// kind is one kind of store. Tests of what all of them have in common run on each.
type kind struct {
	name string
	// open opens an empty store. reopen closes it and opens what it left, as the next process does; nil for one that leaves nothing.
	open func(t *testing.T, limits Limits) (s Store, reopen func() Store)
}

func kinds() []kind {
	return []kind{
		{"memory", func(_ *testing.T, limits Limits) (Store, func() Store) { return NewMemory(limits), nil }},
		{"file", openFile},
		{"postgres", openPostgres},
	}
}

func openFile(t *testing.T, limits Limits) (Store, func() Store) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	open := func() *Bolt {
		b, err := OpenBolt(path, limits)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	s := open()
	return s, func() Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open()
		return s
	}
}

// tested is a store in a test.
type tested struct {
	*testing.T
	Store
	ctx    context.Context
	reopen func() Store
}

// inEach runs a test on every kind of store.
func inEach(t *testing.T, limits Limits, f func(s *tested)) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			s := &tested{T: t, ctx: t.Context()}
			s.Store, s.reopen = k.open(t, limits)
			f(s)
		})
	}
}

// again reopens the store. It does nothing to one that leaves nothing.
func (s *tested) again() (durable bool) {
	if s.reopen != nil {
		s.Store = s.reopen()
	}
	return s.reopen != nil
}

func (s *tested) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// create adds a unit of run r.
func (s *tested) create(id string, messages ...Message) *Unit {
	s.Helper()
	u := &Unit{ID: id, Run: "r", Form: "kafka", Status: "accepted", Since: time.Now(), Body: map[string]string{"customer": "ada"}, Steps: []string{"orders.Accept"}}
	s.must(s.Create(s.ctx, u, Sums{"accepted": 1}, messages...))
	return u
}

// end makes a unit final.
func (s *tested) end(id string) {
	s.Helper()
	s.must(s.Update(s.ctx, id, func(u *Unit) (Sums, bool) {
		u.Status, u.Final = "completed", true
		return Sums{"completed": 1}, true
	}))
}

// listed are the ids on all pages of a run.
func (s *tested) listed(run string, limit int) (ids []string) {
	s.Helper()
	for after := uint64(0); ; {
		page, next, err := s.Page(s.ctx, run, after, limit)
		s.must(err)
		if len(page) > limit {
			s.Fatalf("a page of %d units, want at most %d", len(page), limit)
		}
		for _, u := range page {
			ids = append(ids, u.ID)
		}
		if next == 0 {
			return ids
		}
		after = next
	}
}
