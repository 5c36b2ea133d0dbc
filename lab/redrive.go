package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/internal/poll"
	"tracelab/services"
	"tracelab/services/flows"
)

// Redriven is what became of the dead letters of a topic.
type Redriven struct {
	Letters []services.DeadLetter // that were there
	Sent    int                   // back to where they came from
	Skipped int                   // batches of them that nobody can read
	Again   int                   // that were given up for the second time
}

// redriveTimeout bounds each wait for the services to have read up.
const redriveTimeout = 10 * time.Second

// Redrive waits until the services of a run under way have handled all messages, sends the dead letters of a topic back, and waits again. It
// works while the run waits for the last piece of work, too (StageSettling).
func (w *Weather) Redrive(ctx context.Context, topic string, most int) (Redriven, error) {
	w.mu.Lock()
	env := w.env
	if env == nil || env.system == nil {
		w.mu.Unlock()
		return Redriven{}, errors.New("no run is under way whose dead letters could be sent back")
	}
	w.doing.Add(1)
	w.mu.Unlock()
	defer w.doing.Done()
	var r Redriven
	err := env.readUp(ctx)
	if err != nil {
		return r, err
	}
	if r.Letters, err = services.DeadLettersOf(ctx, env.config, topic, most); err != nil {
		return r, err
	}
	sent, err := services.Redrive(ctx, env.config, topic, most)
	if r.Sent, r.Skipped = sent[flows.KafkaLog].Sent, sent[flows.KafkaLog].Skipped; err != nil {
		return r, err
	}
	if err := env.readUp(ctx); err != nil {
		return r, err
	}
	again, err := services.DeadLettersOf(ctx, env.config, topic, most)
	r.Again = len(again)
	return r, err
}

// readUp waits until the services have handled every message.
func (env *environment) readUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, redriveTimeout)
	defer cancel()
	return poll.Until(ctx, 50*time.Millisecond, func(ctx context.Context) error {
		unread, err := services.UnreadOf(ctx, env.config)
		if err == nil && unread > 0 {
			err = fmt.Errorf("%d records are not handled", unread)
		}
		return err
	})
}
