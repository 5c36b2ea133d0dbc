package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheOldestEffectsAreForgotten: a store has an end, and holds at least the youngest of its limit.
func TestTheOldestEffectsAreForgotten(t *testing.T) {
	const limit = 10
	inEach(t, Limits{Effects: limit}, func(s *tested) {
		for i := range 35 {
			_, err := s.Put(s.ctx, fmt.Sprint(i), "s", uint64(i+1))
			s.must(err)
		}
		known := 0
		for i := range 35 {
			got, err := s.Find(s.ctx, fmt.Sprint(i), "s")
			s.must(err)
			if got != 0 {
				known++
			}
			if i >= 35-limit && got != uint64(i+1) {
				s.Errorf("effect %d is %d, want it known", i, got)
			}
		}
		if known > 2*limit {
			s.Errorf("%d effects known, want at most %d", known, 2*limit)
		}
	})
}

// TestAStoreHasALimit: beyond it the oldest final units are forgotten, pending ones stay, the sums keep all.
func TestAStoreHasALimit(t *testing.T) {
	inEach(t, Limits{Units: 20}, func(s *tested) {
		for i := range 60 {
			s.must(s.Room(s.ctx))
			s.create(fmt.Sprint(i))
			if i != 5 && i != 50 { // two that nothing is heard of stay
				s.end(fmt.Sprint(i))
			}
		}
		want := []string{"5"}
		for i := 41; i < 60; i++ {
			want = append(want, fmt.Sprint(i))
		}
		if diff := cmp.Diff(want, s.listed("r", 7)); diff != "" {
			s.Errorf("listed (-want +got):\n%s", diff)
		}
		if _, err := s.Get(s.ctx, "6"); !errors.Is(err, ErrUnknown) {
			s.Errorf("a forgotten unit: %v, want ErrUnknown", err)
		}
		sums, err := s.Sums(s.ctx, "r")
		s.must(err)
		if diff := cmp.Diff(map[string]Sums{"kafka": {"accepted": 60, "completed": 58, SumForgotten: 40}}, sums); diff != "" {
			s.Errorf("sums (-want +got):\n%s", diff)
		}
		if n, err := s.Pending(s.ctx, time.Time{}); n != 2 || err != nil {
			s.Errorf("%d pending, %v, want 2", n, err)
		}
	})
}

// TestAFullStoreRefuses when all its units are pending, until one is final, or the oldest has been pending for long.
func TestAFullStoreRefuses(t *testing.T) {
	inEach(t, Limits{Units: 3, Messages: 3}, func(s *tested) {
		long := &Unit{ID: "a", Run: "r", Form: "kafka", Status: "accepted", Since: time.Now().Add(-PendingFor)}
		s.must(s.Create(s.ctx, long, Sums{"accepted": 1}))
		s.create("b")
		s.create("c")
		s.create("d") // in place of a
		refused := func(what string) {
			s.Helper()
			err := s.Create(s.ctx, &Unit{ID: "e", Run: "r", Form: "kafka", Since: time.Now()}, Sums{"accepted": 1})
			if !errors.Is(err, ErrFull) || !errors.Is(s.Room(s.ctx), ErrFull) {
				s.Errorf("%s: %v and %v, want ErrFull", what, err, s.Room(s.ctx))
			}
		}
		refused("a fourth unit")
		s.end("c")
		s.create("e", Message{Key: "e"}, Message{Key: "e"}, Message{Key: "e"})
		s.end("e")
		if err := s.Enqueue(s.ctx, Message{Key: "e"}); !errors.Is(err, ErrOutboxFull) {
			s.Errorf("a fourth message: %v, want ErrOutboxFull", err)
		}
		if err := s.Create(s.ctx, &Unit{ID: "f", Run: "r", Form: "kafka", Since: time.Now()}, nil, Message{Key: "f"}); !errors.Is(err, ErrOutboxFull) {
			s.Errorf("a unit whose message has no room: %v, want ErrOutboxFull", err)
		}
		if _, err := s.Get(s.ctx, "f"); !errors.Is(err, ErrUnknown) {
			s.Errorf("a unit whose message has no room: %v, want it refused whole", err)
		}
	})
}

// TestTheSumsOfOldRunsAreForgotten: whoever makes up runs does not fill the store.
func TestTheSumsOfOldRunsAreForgotten(t *testing.T) {
	inEach(t, Limits{}, func(s *tested) {
		for i := range MostRuns + 20 {
			s.must(s.Count(s.ctx, fmt.Sprint(i), "", Sums{"unknown": 1}))
		}
		s.again() // some forget when they are opened
		there := 0
		for i := range MostRuns + 20 {
			sums, err := s.Sums(s.ctx, fmt.Sprint(i))
			s.must(err)
			if len(sums) > 0 {
				there++
			} else if i >= 20 {
				s.Errorf("run %d, one of the youngest, has no sums", i)
			}
		}
		if there > MostRuns {
			s.Errorf("%d runs have sums, want at most %d", there, MostRuns)
		}
	})
}
