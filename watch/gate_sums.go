package watch

import "time"

// behindNow counts the partitions because of which verdicts are held.
func (g *gate) behindNow(now time.Duration) int {
	n := 0
	for _, p := range g.parts {
		if at, known := g.upToDate(p); !known || now-at > HoldAfter {
			n++
		}
	}
	return n
}

// heldSum returns how long the group was not up to date since the watcher's start.
func (g *gate) heldSum() time.Duration { return g.at - g.gated }
