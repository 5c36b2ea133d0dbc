package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// stores are both kinds, with a limit of their generations.
func stores(t *testing.T, limit int) map[string]Effects {
	t.Helper()
	bolt, err := OpenBolt(filepath.Join(t.TempDir(), "effects"), limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bolt.Close() })
	return map[string]Effects{"memory": NewMemory(limit), "bolt": bolt}
}

func find(t *testing.T, s Effects, unit, step string) uint64 {
	t.Helper()
	handling, err := s.Find(unit, step)
	if err != nil {
		t.Fatal(err)
	}
	return handling
}

func put(t *testing.T, s Effects, unit, step string, handling uint64) {
	t.Helper()
	if err := s.Put(unit, step, handling); err != nil {
		t.Fatal(err)
	}
}

func TestEffectsAreNotedByUnitAndStep(t *testing.T) {
	for name, s := range stores(t, 100) {
		put(t, s, "a", "payment.Charge", 7)
		put(t, s, "b", "payment.Charge", 8)
		put(t, s, "b", "payment.Charge", 9)
		for _, c := range []struct {
			unit, step string
			want       uint64
		}{{"a", "payment.Charge", 7}, {"b", "payment.Charge", 9}, {"a", "shipping.Dispatch", 0}, {"c", "payment.Charge", 0}, {"", "", 0}} {
			if got := find(t, s, c.unit, c.step); got != c.want {
				t.Errorf("%s: %s of %q: handling %d, want %d", name, c.step, c.unit, got, c.want)
			}
		}
	}
}

// TestTheOldestEffectsAreForgotten: a store has an end, and holds at least the youngest of its limit.
func TestTheOldestEffectsAreForgotten(t *testing.T) {
	const limit = 10
	for name, s := range stores(t, limit) {
		for i := range 35 {
			put(t, s, fmt.Sprint(i), "s", uint64(i+1))
		}
		known := 0
		for i := range 35 {
			got := find(t, s, fmt.Sprint(i), "s")
			if got != 0 {
				known++
			}
			if i >= 35-limit && got != uint64(i+1) {
				t.Errorf("%s: effect %d is %d, want it known", name, i, got)
			}
		}
		if known > 2*limit {
			t.Errorf("%s: %d effects known, want at most %d", name, known, 2*limit)
		}
	}
}

func TestAFileIsFoundAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "effects")
	first, err := OpenBolt(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	put(t, first, "a", "s", 7)
	if _, err := OpenBolt(path, 10); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("open while it is open: %v, want the file and the way out", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := OpenBolt(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	if got := find(t, second, "a", "s"); got != 7 {
		t.Errorf("found %d again, want 7", got)
	}
}

func TestManyEffectsAtTheSameTime(t *testing.T) {
	for name, s := range stores(t, 10_000) {
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				if err := s.Put(fmt.Sprint(i), "s", uint64(i+1)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		for i := range 64 {
			if got := find(t, s, fmt.Sprint(i), "s"); got != uint64(i+1) {
				t.Errorf("%s: %d: %d", name, i, got)
			}
		}
	}
}
