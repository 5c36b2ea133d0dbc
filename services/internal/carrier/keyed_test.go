package carrier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// ledgerOfWork notes what ran, and how much of it at the same time.
type ledgerOfWork struct {
	mu       sync.Mutex
	running  map[string]int
	total    int
	most     int
	order    map[string][]int
	violated []string
}

// piece is a piece of work that takes a while.
func (l *ledgerOfWork) piece(key string, number int, takes time.Duration) func(*piece) {
	return func(*piece) {
		l.mu.Lock()
		l.running[key]++
		l.total++
		l.most = max(l.most, l.total)
		if l.running[key] > 1 {
			l.violated = append(l.violated, fmt.Sprintf("%d pieces of %s at the same time", l.running[key], key))
		}
		l.order[key] = append(l.order[key], number)
		l.mu.Unlock()
		time.Sleep(takes)
		l.mu.Lock()
		l.running[key]--
		l.total--
		l.mu.Unlock()
	}
}

// TestKeyed: one at a time for each key, in the order given, at most so many at a time, and all done in the end; run
// never blocks for as many pieces as room has said.
func TestKeyed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 5).Draw(rt, "workers")
		keys := rapid.IntRange(1, 4).Draw(rt, "keys")
		pieces := rapid.IntRange(0, 40).Draw(rt, "pieces")
		seed := rapid.Uint64().Draw(rt, "seed")
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			k := newKeyed(workers, 10)
			l := &ledgerOfWork{running: map[string]int{}, order: map[string][]int{}}
			given := map[string][]int{}
			for number := 0; number < pieces; {
				room := k.room(t.Context())
				begin := time.Now()
				for range min(room, pieces-number) {
					key := fmt.Sprint("key", random.IntN(keys))
					given[key] = append(given[key], number)
					k.run(t.Context(), key, l.piece(key, number, time.Duration(random.IntN(5))*time.Millisecond))
					number++
				}
				if !time.Now().Equal(begin) {
					t.Errorf("run was held up for %v though room had said %d", time.Since(begin), room)
				}
			}
			if err := k.wait(t.Context()); err != nil {
				t.Error(err)
			}
			for key, numbers := range given {
				if !slices.Equal(numbers, l.order[key]) {
					t.Errorf("%s: done in the order %v, given as %v", key, l.order[key], numbers)
				}
			}
			if l.most > workers || l.total != 0 || len(l.violated) > 0 {
				t.Errorf("%d at the same time with %d workers, %d left, %v", l.most, workers, l.total, l.violated)
			}
			if len(k.keys) != 0 {
				t.Errorf("%d keys are kept though no work is left", len(k.keys))
			}
		})
	})
}

// TestRoomCountsWaitingPieces: pieces that wait behind their key have slots, so no more is polled than can be held.
func TestRoomCountsWaitingPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyed(3, 10)
		if room := k.room(t.Context()); room != 3 {
			t.Errorf("room of an empty one: %d, want 3", room)
		}
		for range 3 {
			k.run(t.Context(), "same", func(*piece) { time.Sleep(time.Second) })
		}
		begin := time.Now()
		if room := k.room(t.Context()); room != 1 || time.Since(begin) != time.Second {
			t.Errorf("room %d after %v, want 1 after 1s, when the first piece has ended", room, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		k.run(t.Context(), "other", func(*piece) { time.Sleep(time.Second) })
		if room := k.room(ctx); room != 0 {
			t.Errorf("room %d when the context has ended and nothing is free, want 0", room)
		}
		if err := k.wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWaitGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyed(2, 10)
		k.run(t.Context(), "a", func(*piece) { time.Sleep(time.Minute) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := k.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait: %v, want the deadline's error", err)
		}
		if room := k.room(t.Context()); room != 1 {
			t.Errorf("room %d after a wait that gave up, want 1: it must give back what it has taken", room)
		}
		if err := k.wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestParkedPieces: pieces of other keys run while some wait, those behind them in their key wait in their order, and all are done in the end.
func TestParkedPieces(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		parking := rapid.IntRange(0, 6).Draw(rt, "parking")
		pieces := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) (p struct{ key, parks int }) {
			p.key, p.parks = rapid.IntRange(0, 4).Draw(rt, "key"), rapid.IntRange(0, 3).Draw(rt, "parks")
			return p
		}), 0, 30).Draw(rt, "pieces")
		synctest.Test(t, func(t *testing.T) {
			k := newKeyed(workers, parking)
			l := &ledgerOfWork{running: map[string]int{}, order: map[string][]int{}}
			given := map[string][]int{}
			for number, p := range pieces {
				if k.room(t.Context()) == 0 {
					t.Fatal("no room")
				}
				key := fmt.Sprint("key", p.key)
				given[key] = append(given[key], number)
				k.run(t.Context(), key, func(running *piece) {
					for range p.parks {
						time.Sleep(time.Millisecond)
						running.park()
						time.Sleep(10 * time.Millisecond)
						if !running.resume(context.Background()) {
							t.Error("resume gave up")
						}
					}
					l.piece(key, number, time.Millisecond)(running)
				})
			}
			if err := k.wait(t.Context()); err != nil {
				t.Error(err)
			}
			for key, numbers := range given {
				if !slices.Equal(numbers, l.order[key]) {
					t.Errorf("%s: done in the order %v, given as %v", key, l.order[key], numbers)
				}
			}
			if l.most > 2*workers || len(l.violated) > 0 || len(k.keys) != 0 || len(k.slots)+len(k.parking)+len(k.again) != 0 {
				t.Errorf("%d at the same time with %d workers, %v, places kept %d, %d, %d", l.most, workers, l.violated, len(k.slots), len(k.parking), len(k.again))
			}
		})
	})
}

// TestAParkedKeyLeavesRoom: also for the pieces behind it.
func TestAParkedKeyLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyed(2, 8)
		parked := make(chan struct{})
		k.run(t.Context(), "a", func(p *piece) { p.park(); close(parked); time.Sleep(time.Second); p.resume(context.Background()) })
		<-parked
		for range 5 {
			k.run(t.Context(), "a", func(*piece) {})
		}
		if room := k.room(t.Context()); room != 2 {
			t.Errorf("room %d while one key waits, want 2", room)
		}
		if err := k.wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
