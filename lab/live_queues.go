package lab

import (
	"cmp"
	"context"
	"slices"

	"tracelab/services"
)

// QueueDepth is how many messages wait in a queue of RabbitMQ. What a consumer was given and has not acknowledged is not among them.
type QueueDepth struct {
	Queue    string // without the prefix of this lab
	Messages int64
}

// queueWatch asks a RabbitMQ for the depths of its queues. Nil is that of a lab in which nothing comes over a RabbitMQ.
type queueWatch struct {
	queues   *services.Queues
	question question[queueState]
}

// queueState is what waits in the queues of a RabbitMQ.
type queueState struct {
	depths []QueueDepth
	dead   []DeadLetters
}

// waits tells whether there is a message that no consumer was given.
func (s queueState) waits() bool {
	return slices.ContainsFunc(s.depths, func(d QueueDepth) bool { return d.Messages > 0 })
}

// newQueueWatch is nil where nothing comes over a RabbitMQ.
func newQueueWatch(config services.Config) *queueWatch {
	queues := services.NewQueues(config)
	if queues == nil {
		return nil
	}
	w := &queueWatch{queues: queues}
	w.question.ask = w.read
	return w
}

// now is what was asked last, as a question does it. The error says since when, in words.
func (w *queueWatch) now(done func()) ([]QueueDepth, []DeadLetters, error) {
	if w == nil {
		return nil, nil, nil
	}
	state, at, err := w.question.now(done)
	return slices.Clone(state.depths), slices.Clone(state.dead), notHeard(err, at)
}

// read asks for the depth of each queue, and of that of dead letters.
func (w *queueWatch) read(ctx context.Context) (state queueState, err error) {
	waiting, dead, err := w.queues.Waiting(ctx)
	if err != nil {
		return state, err
	}
	for service, messages := range waiting {
		state.depths = append(state.depths, QueueDepth{service, int64(messages)})
	}
	slices.SortFunc(state.depths, func(a, b QueueDepth) int { return cmp.Compare(a.Queue, b.Queue) })
	state.dead = []DeadLetters{{services.RabbitDeadLetters, int64(dead)}}
	return state, nil
}

// close ends the connection. Nothing is asked after it.
func (w *queueWatch) close() {
	if w == nil {
		return
	}
	w.question.close()
	w.queues.Close()
}
