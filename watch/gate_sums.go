package watch

import "time"

// behindNow counts the partitions that hold verdicts.
func (g *gate) behindNow(now time.Duration) int {
	n := 0
	for _, p := range g.parts {
		if at, known := g.upToDate(p); !known || now-at > HoldAfter {
			n++
		}
	}
	return n
}

// heldSum returns for how long verdicts were held, and for how long quiet started anew, since the watcher's start.
func (g *gate) heldSum() time.Duration { return g.at - g.gated }
