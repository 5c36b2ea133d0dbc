package lab

import (
	"context"
	"errors"
	"sync"
	"time"
)

// brokerInterval is the shortest time between two questions to a broker.
const brokerInterval = time.Second

// question is one that a broker is asked again and again while somebody looks, in the background: who looks never waits for the broker, unless
// only what is true now will do.
type question[A any] struct {
	ask func(context.Context) (A, error)

	mu     sync.Mutex
	asking bool
	asked  time.Time
	answer A         // the last one that was no error
	at     time.Time // of that one
	err    error     // of the last time
	doing  sync.WaitGroup
	closed bool
}

// now returns the last answer, which must not be changed, with its time, and the error of the last time. It asks again when that was a while ago, and
// calls done when that has ended.
func (q *question[A]) now(done func()) (answer A, at time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.asking && !q.closed && time.Since(q.asked) >= brokerInterval {
		q.asking = true
		q.doing.Go(func() {
			q.once()
			done()
		})
	}
	return q.answer, q.at, q.err
}

// fresh asks now and waits for the answer, no longer than askTimeout.
func (q *question[A]) fresh(ctx context.Context) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := q.ask(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = context.DeadlineExceeded // a client's own words for that say no more
	}
	return answer, err
}

func (q *question[A]) once() {
	answer, err := q.fresh(context.Background())
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asking, q.asked = false, time.Now()
	if q.err = err; err == nil {
		q.answer, q.at = answer, q.asked
	}
}

// close waits for the question that is being asked. None is asked after it.
func (q *question[A]) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.doing.Wait()
}
