package carrier

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// gatherer notes the batches that it is given.
type gatherer struct {
	mu      sync.Mutex
	batches [][]string // "when key number", by batch
	busy    map[string]int
	takes   time.Duration
	start   time.Time
	overlap bool
}

func (g *gatherer) handle(batch []batched, _ *gathering) {
	g.mu.Lock()
	var keys []string
	for _, m := range batch {
		keys = append(keys, m.Key)
	}
	g.batches = append(g.batches, append([]string{time.Since(g.start).String()}, keys...))
	kind := batch[0].Topic
	g.busy[kind]++
	g.overlap = g.overlap || g.busy[kind] > 1
	g.mu.Unlock()
	time.Sleep(g.takes)
	g.mu.Lock()
	g.busy[kind]--
	g.mu.Unlock()
	for _, m := range batch {
		m.done(Finished)
	}
}

// TestABatchIsFullOrItsTimeIsUp: the time counts from its first message, and what comes while a batch is handled waits in the next.
func TestABatchIsFullOrItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatherer{busy: map[string]int{}, takes: 30 * time.Millisecond, start: time.Now()}
		b := newBatches(g.handle)
		kind := Batch{Topic: "t", Size: 3, Wait: 20 * time.Millisecond}
		for i, pause := range []int{0, 5, 5, 0, 1, 100, 0} { // milliseconds before each
			time.Sleep(time.Duration(pause) * time.Millisecond)
			if !b.add(t.Context(), kind, batched{Delivery: Delivery{Topic: "t", Key: fmt.Sprint(i), Leaving: t.Context()}, done: func(Outcome) {}}) {
				t.Fatal("not taken")
			}
		}
		if err := b.finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := "[[10ms 0 1 2] [40ms 3 4] [111ms 5 6]]" // full; the first one's end; nobody waits any more when it is to finish
		if got := fmt.Sprint(g.batches); got != want {
			t.Errorf("batches %s, want %s", got, want)
		}
	})
}

// TestNoMessageIsLostInBatches: whatever comes when, each is handled once, in the order in which it came, in batches of one kind that do not
// overlap and are not too large.
func TestNoMessageIsLostInBatches(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pauses := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 60).Draw(r, "pauses")
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), len(pauses), len(pauses)).Draw(r, "kinds")
		size, takes := rapid.IntRange(2, 5).Draw(r, "size"), rapid.IntRange(0, 30).Draw(r, "takes")
		synctest.Test(t, func(*testing.T) {
			g := &gatherer{busy: map[string]int{}, takes: time.Duration(takes) * time.Millisecond, start: time.Now()}
			b := newBatches(g.handle)
			done := 0
			var mu sync.Mutex
			for i, pause := range pauses {
				time.Sleep(time.Duration(pause) * time.Millisecond)
				b.add(context.Background(), Batch{Topic: kinds[i], Size: size, Wait: 10 * time.Millisecond}, batched{
					Delivery: Delivery{Topic: kinds[i], Key: fmt.Sprintf("%s%03d", kinds[i], i), Leaving: context.Background()}, done: func(Outcome) { mu.Lock(); done++; mu.Unlock() }})
			}
			if err := b.finish(context.Background()); err != nil {
				r.Fatal(err)
			}
			all := map[string][]string{}
			for _, batch := range g.batches {
				if len(batch)-1 > size {
					r.Fatalf("a batch of %d, want at most %d", len(batch)-1, size)
				}
				all[batch[1][:1]] = append(all[batch[1][:1]], batch[1:]...)
			}
			if n := len(all["a"]) + len(all["b"]); n != len(pauses) || done != n || g.overlap || !slices.IsSorted(all["a"]) || !slices.IsSorted(all["b"]) {
				r.Fatalf("%d handled, %d told, overlap %v, %v", n, done, g.overlap, all)
			}
			if len(b.open) != 0 || len(b.places) != 0 {
				r.Fatalf("%d kinds and %d places are left", len(b.open), len(b.places))
			}
		})
	})
}

// TestABatchIsWaitedForNoLongerThanAsked: a message that nobody takes is the broker's still, and who waits for the end is told.
func TestABatchIsWaitedForNoLongerThanAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBatches(func([]batched, *gathering) { time.Sleep(time.Hour) })
		kind := Batch{Size: 2, Wait: time.Millisecond}
		for range MaxInBatches {
			b.add(t.Context(), kind, batched{Delivery: Delivery{Leaving: context.Background()}, done: func(Outcome) {}})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if b.add(ctx, kind, batched{}) {
			t.Error("taken, though there is no place")
		}
		if err := b.finish(ctx); err == nil {
			t.Error("finish tells of no end")
		}
		if err := b.finish(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
