package lab

import (
	"context"
	"time"
)

const (
	// followPause is between two rounds while orders are placed. A run that is over within it is left in peace: asking takes time of
	// the machine that is being measured.
	followPause = 2 * time.Second
	// followOverlap is how much of the time before a round's predecessor is asked for again: spans arrive when they have ended.
	followOverlap = time.Second
)

// follow fetches while orders are placed, so that a long run does not depend on how many traces a Jaeger keeps: in memory it
// forgets the oldest for the newest, and every poll and commit is a trace. The judge asks again for what is missing, so errors
// are not looked at here. Stop ends it and waits for its end; before that nobody else may use the fetcher.
func (f *fetcher) follow(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	from := time.Now()
	go func() {
		defer close(done)
		for pause(ctx, followPause) {
			began := time.Now()
			if f.fetch(ctx, from.Add(-followOverlap)); f.err == nil {
				from = began
				f.followed = began
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// since is from when on spans may be missing: from the first order on, unless it was followed until later.
func (f *fetcher) since(first time.Time) time.Time {
	if f != nil && f.followed.After(first) {
		return f.followed.Add(-followOverlap)
	}
	return first
}
