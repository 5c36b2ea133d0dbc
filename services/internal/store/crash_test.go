package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// crashes says at which steps of its work a process ends, one after another: each time the next one goes on with what the store has.
func crashes() *rapid.Generator[[]int] { return rapid.SliceOfN(rapid.IntRange(0, 40), 0, 4) }

// errCrash ends a process in the middle of its work.
type errCrash struct{}

// crashing is a process that accepts units, sends their messages and has the effect of each, and a broker that it talks to, which lives on.
type crashing struct {
	*tested
	left      int      // steps until the process ends; below 0: it lives
	log       []string // the broker's: unit and topic, in order
	committed int      // of the log
	accepted  []string // units that somebody was told of
	effects   int      // handlings that were told that theirs is the one
	handling  uint64
}

// step is a place where the process may end.
func (c *crashing) step() {
	if c.left == 0 {
		panic(errCrash{})
	}
	c.left--
}

// live works until all is done, or the process ends.
func (c *crashing) live(prefix string, units int) (done bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(errCrash); !ok {
				panic(p)
			}
		}
	}()
	for len(c.accepted) < units {
		id := fmt.Sprint(prefix, len(c.accepted))
		c.step()
		if _, err := c.Get(c.ctx, id); err != nil { // it may have been accepted just before the end
			u := &Unit{ID: id, Run: prefix, Form: "kafka", Since: time.Now()}
			c.must(c.Create(c.ctx, u, Sums{"accepted": 1}, Message{Key: id, Topic: "first"}, Message{Key: id, Topic: "second"}))
		}
		c.step()
		c.accepted = append(c.accepted, id)
	}
	_, err := c.Adopt(c.ctx)
	c.must(err)
	for {
		waiting, err := c.Waiting(c.ctx, 3)
		c.must(err)
		if len(waiting) == 0 {
			break
		}
		for _, m := range waiting {
			c.step()
			c.log = append(c.log, m.Key+" "+m.Topic)
			c.step()
			c.must(c.Remove(c.ctx, m.ID))
		}
	}
	for ; c.committed < len(c.log); c.committed++ {
		message := c.log[c.committed]
		before, err := c.Find(c.ctx, message, "step")
		c.must(err)
		c.step()
		if before != 0 {
			continue // skipped
		}
		c.handling++
		stands, err := c.Put(c.ctx, message, "step", c.handling)
		c.must(err)
		if stands == c.handling {
			c.effects++
		}
		c.step()
	}
	return true
}

// TestWhatIsAcceptedIsDoneOnceWhereverAProcessEnds: between its work, the store, the broker and its commit. Every message of an accepted unit is with
// the broker at least once, those of a unit in their order; each has its effect once.
func TestWhatIsAcceptedIsDoneOnceWhereverAProcessEnds(t *testing.T) {
	inEach(t, Limits{Units: 10_000, Effects: 10_000}, func(s *tested) {
		for i := range 25 {
			const units = 3
			prefix := fmt.Sprintf("%d-", i)
			at := crashes().Example(i)
			c := &crashing{tested: s}
			for _, steps := range append(at, -1) {
				c.left = steps
				if c.live(prefix, units) {
					break
				}
				s.again()
			}
			for _, id := range c.accepted {
				first, second := slices.Index(c.log, id+" first"), slices.Index(c.log, id+" second")
				if first < 0 || second < first {
					s.Errorf("ended at %v: the messages of %s are at %d and %d of %v", at, id, first, second, c.log)
				}
			}
			if n, err := s.Backlog(s.ctx); len(c.accepted) != units || n != 0 || err != nil || c.effects != 2*units {
				s.Errorf("ended at %v: %d units, %d messages left, %v, %d effects, want %d, none and %d", at, len(c.accepted), n, err, c.effects, units, 2*units)
			}
			if sums, err := s.Sums(s.ctx, prefix); err != nil || sums["kafka"]["accepted"] != units {
				s.Errorf("ended at %v: %v, %v, want %d accepted", at, sums, err, units)
			}
		}
	})
}
