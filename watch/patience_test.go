package watch

import (
	"strings"
	"testing"
	"time"

	"tracelab/watch/summary"
)

// TestPatience: while a watcher hangs, another one judges nothing; after its patience it judges what it has, and says why that is incomplete.
func TestPatience(t *testing.T) {
	inGroup(t, func(g *group) {
		g.start("a", func(c *Config) { c.Patience = 8 * time.Second })
		b := g.start("b", nil)
		s := newStream(g)
		s.send(20, func(int) {}) // until both have their partitions
		b.pause()
		s.send(40, func(int) {}) // a reads half of them, and judges half of these
		behind := 0
		for range 10 {
			for _, r := range g.records(DefaultJourneys) {
				sum, err := summary.Parse(r.Value)
				g.must(err)
				if strings.HasSuffix(sum.Reason, "was behind") && sum.Outcome == summary.Incomplete {
					behind++
				}
			}
			if behind > 0 {
				return
			}
		}
		t.Error("no journey was judged while a watcher hung")
	})
}
