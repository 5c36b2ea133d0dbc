package lab

import (
	"slices"
	"sync"
	"time"

	"tracelab/journey"
	"tracelab/lab/rundir"
)

const (
	// heartbeat is how often the process looks whether it gets the machine's time.
	heartbeat = 2 * time.Millisecond
	// starvedAfter is how late a heartbeat is that counts.
	starvedAfter = 2 * time.Millisecond
	// gapLimit is how many gaps are remembered; what comes after is summed up alone.
	gapLimit = 100_000
)

// starvation is when a process that should have been woken was not, seen by a heartbeat.
type starvation struct {
	mu      sync.Mutex
	watched time.Duration
	missing time.Duration
	gaps    []journey.Period // without CPU, or with more to do than it could
}

// watch begins to look, until stop is called.
func (s *starvation) watch() (stop func()) {
	stopping, ended := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(ended)
		timer := time.NewTimer(heartbeat)
		defer timer.Stop()
		for {
			due := time.Now().Add(heartbeat)
			timer.Reset(heartbeat)
			select {
			case <-timer.C:
				s.beat(due, time.Now())
			case <-stopping:
				return
			}
		}
	}()
	return func() {
		close(stopping)
		<-ended
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watched += time.Since(began)
	}
}

// beat notes a heartbeat that came late.
func (s *starvation) beat(due, now time.Time) {
	late := now.Sub(due)
	if late <= starvedAfter {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing += late
	if len(s.gaps) < gapLimit {
		s.gaps = append(s.gaps, journey.Period{From: due.UnixNano(), To: now.UnixNano()})
	}
}

// times are when the process was not woken.
func (s *starvation) times() []journey.Period {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.gaps)
}

func (s *starvation) result() rundir.Starvation {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := rundir.Starvation{Gaps: len(s.gaps)}
	if s.watched > 0 {
		r.Share = float64(s.missing) / float64(s.watched)
	}
	for _, g := range s.gaps {
		r.Longest = max(r.Longest, float64(g.To-g.From)/1e6)
	}
	return r
}
