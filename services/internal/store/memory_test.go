package store

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPagesListEveryUnitOnce, whatever is forgotten and added between them.
func TestPagesListEveryUnitOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		m := NewMemory(Limits{Units: rapid.IntRange(5, 40).Draw(rt, "limit")})
		accepted := 0
		place := func() {
			accepted++
			u := &Unit{ID: fmt.Sprint(accepted), Run: rapid.SampledFrom([]string{"r", "r", "other"}).Draw(rt, "run"), Since: time.Now()}
			if m.Create(ctx, u, nil) == nil && rapid.IntRange(0, 9).Draw(rt, "ends") > 0 {
				_ = m.Update(ctx, u.ID, func(u *Unit) (Sums, bool) { u.Final = true; return nil, true })
			}
		}
		for range rapid.IntRange(0, 100).Draw(rt, "units") {
			place()
		}
		stays := map[string]bool{} // through all pages
		for id, u := range m.units {
			stays[id] = u.Run == "r"
		}
		limit := rapid.IntRange(1, 9).Draw(rt, "page")
		seen := map[string]bool{}
		last := 0
		for after := uint64(0); ; {
			page, next, _ := m.Page(ctx, "r", after, limit)
			if len(page) > limit {
				rt.Fatalf("a page of %d, want at most %d", len(page), limit)
			}
			for _, u := range page {
				number, _ := strconv.Atoi(u.ID)
				if seen[u.ID] || number <= last || u.Run != "r" {
					rt.Fatalf("%s of run %s behind %d, seen %v", u.ID, u.Run, last, seen)
				}
				seen[u.ID], last = true, number
			}
			if next == 0 {
				break
			}
			after = next
			if accepted < 150 && rapid.Bool().Draw(rt, "more") {
				place()
			}
			for id := range stays {
				stays[id] = stays[id] && m.units[id] != nil
			}
		}
		for id, there := range stays {
			if there && !seen[id] {
				rt.Fatalf("unit %s is on no page", id)
			}
		}
	})
}
