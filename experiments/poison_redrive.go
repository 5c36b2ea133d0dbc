package experiments

import (
	"context"
	"errors"
	"sync"
	"time"

	"tracelab/lab"
)

// sentBack is what redrive did in each run, by seed.
type sentBack struct {
	mu  sync.Mutex
	of  map[uint64]lab.Redriven
	err error
}

// sendBack has the dead letters of a run sent back when all orders are placed and the bug is mended.
func (b *sentBack) sendBack(ctx context.Context) func(*lab.Config) {
	return func(c *lab.Config) {
		weather, seed := lab.NewWeather(), c.Seed
		c.Weather = weather
		c.Progress = func(p lab.Progress) {
			if p.Stage != lab.StageSettling || p.Orders == 0 {
				return
			}
			time.Sleep(inFlight) // the last order was placed a moment ago
			r, err := weather.Redrive(ctx, reactionsOn, mostLetters)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.of[seed], b.err = r, errors.Join(b.err, err)
		}
	}
}
