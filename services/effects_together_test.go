package services

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestTwoMembersOfAGroupShareTheirEffects: a second set of services joins in mid-work and takes partitions over; each
// step is done once, whoever gets the record, and however often.
func TestTwoMembersOfAGroupShareTheirEffects(t *testing.T) {
	t.Parallel() // most of it is waiting
	effects := NewStore(mostOrders)
	onLoopback(t, func(l *testLab) {
		second := l.config
		second.Services, second.HTTP, second.GRPC = []string{Payment, Shipping}, nil, nil
		var ids []string
		var other *System
		for number := range 60 {
			e := in("r", Kafka)
			e.Number = number
			ids = append(ids, l.place(e, tea).id())
			if number == 20 {
				var err error
				other, err = Start(context.Background(), second)
				l.must(err)
			}
			if number == 40 {
				l.again("stock.reserved")
			}
		}
		for _, id := range ids {
			l.await(id)
		}
		l.until("the repeats have been told of, and each step of each order", func() bool { // an order may be final before it is told
			effects := l.summary().Forms[Kafka].Effects
			return effects[Charge].Skipped >= 40 && len(effects) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(effects)), func(e Effect) bool { return e.Once < 60 })
		})
		for step, effect := range l.summary().Forms[Kafka].Effects {
			if effect.Once != 60 || effect.Twice != 0 {
				t.Errorf("%s: %+v, want each order once", step, effect)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		l.must(other.Shutdown(ctx))
	}, func(c *Config) { c.Store = effects })
}

// TestTheSameStepAtTheSameTime: one works, the others wait and find its effect, and if it fails, the next one works.
func TestTheSameStepAtTheSameTime(t *testing.T) {
	effects := NewStore(mostOrders)
	var done, skipped atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			c, err := effects.claim(context.Background(), effectKey{unit: "a", step: Charge})
			if err != nil {
				t.Error(err)
				return
			}
			defer c.end()
			if c.before != 0 {
				skipped.Add(1)
				return
			}
			if done.Add(1) == 1 {
				return // this one fails
			}
			if _, err := c.note(t.Context(), uint64(i+1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 2 || skipped.Load() != 48 || len(effects.working) != 0 {
		t.Errorf("%d worked, %d were skipped, %d claims left: want 2, of which one failed, 48 and 0", done.Load(), skipped.Load(), len(effects.working))
	}
	c, err := effects.claim(context.Background(), effectKey{unit: "b", step: Charge})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := effects.claim(ctx, effectKey{unit: "b", step: Charge}); err == nil {
		t.Error("who waits does not hear its context's end")
	}
	c.end()
}
