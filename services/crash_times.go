package services

import (
	"slices"
	"sync"
	"time"
)

// Crashed is a time in which a service was away because a fault had made it crash.
type Crashed struct {
	Service  string
	From, To time.Time // To is the zero time while it is away
}

// mostCrashTimes is how many times are remembered; a later crash lengthens the last of them.
const mostCrashTimes = 10_000

// crashTimes remembers when services were away because of crashes.
type crashTimes struct {
	mu    sync.Mutex
	times []Crashed
}

// crashed notes that a service has crashed, and returns what notes that it is back.
func (c *crashTimes) crashed(service string) (back func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, at := time.Now(), len(c.times)
	if at < mostCrashTimes {
		c.times = append(c.times, Crashed{Service: service, From: now})
	} else {
		at = c.last(service)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.times[at].To = time.Now()
	}
}

// last finds the newest time of a service, or else the newest of all.
func (c *crashTimes) last(service string) int {
	for i, t := range slices.Backward(c.times) {
		if t.Service == service {
			return i
		}
	}
	return len(c.times) - 1
}

// Crashed lists when services of this process were away because a fault had made them crash, the oldest first.
func (s *System) Crashed() []Crashed {
	s.crashTimes.mu.Lock()
	defer s.crashTimes.mu.Unlock()
	return slices.Clone(s.crashTimes.times)
}
