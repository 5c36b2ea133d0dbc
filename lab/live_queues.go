package lab

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"tracelab/services"
)

// QueueDepth is how many messages wait in a queue of RabbitMQ. What a consumer was given and has not acknowledged is not among them.
type QueueDepth struct {
	Queue    string // without the prefix of this lab
	Messages int64
}

// queueWatch asks a RabbitMQ for the depths of its queues, while somebody looks.
type queueWatch struct {
	queues *services.Queues

	mu     sync.Mutex
	asking bool
	asked  time.Time
	depths []QueueDepth
	dead   []DeadLetters
	err    error // of the last question
	doing  sync.WaitGroup
	closed bool
}

// newQueueWatch is nil where nothing comes over a RabbitMQ.
func newQueueWatch(config services.Config) *queueWatch {
	if queues := services.NewQueues(config); queues != nil {
		return &queueWatch{queues: queues}
	}
	return nil
}

// now is what was asked last. It asks again in the background when that was a while ago, and calls done when there is an answer.
func (w *queueWatch) now(done func()) ([]QueueDepth, []DeadLetters, error) {
	if w == nil {
		return nil, nil, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.asking && !w.closed && time.Since(w.asked) >= brokerInterval {
		w.asking = true
		w.doing.Go(func() {
			w.ask()
			done()
		})
	}
	return slices.Clone(w.depths), slices.Clone(w.dead), w.err
}

// ask asks once.
func (w *queueWatch) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	waiting, dead, err := w.queues.Waiting(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asking, w.asked = false, time.Now()
	if w.err = err; err != nil {
		return
	}
	w.depths = nil
	for service, messages := range waiting {
		w.depths = append(w.depths, QueueDepth{service, int64(messages)})
	}
	slices.SortFunc(w.depths, func(a, b QueueDepth) int { return cmp.Compare(a.Queue, b.Queue) })
	w.dead = []DeadLetters{{services.RabbitDeadLetters, int64(dead)}}
}

// close ends the connection. Nothing is asked after it.
func (w *queueWatch) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.doing.Wait()
	w.queues.Close()
}
