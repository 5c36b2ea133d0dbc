//go:build stack && (linux || darwin)

package smoke_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/dashboards"
	"tracelab/internal/testkit"
)

// channel opens a channel with confirms to the stack's RabbitMQ and declares a queue there, which goes with the test.
func (s *system) channel(t *testing.T, queue string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial("amqp://guest:guest@" + s.Addresses["RABBITMQ_ADDR"] + "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	_, err = ch.QueueDeclare(queue, true, false, false, false, nil)
	if err := errors.Join(err, ch.Confirm(false), ch.Qos(3, 0, false)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
			t.Error(err)
		}
	})
	return ch
}

func put(ctx context.Context, ch *amqp.Channel, queue string) error {
	confirmation, err := ch.PublishWithDeferredConfirm("", queue, true, false, amqp.Publishing{Body: []byte("{}")})
	if err != nil {
		return err
	}
	_, err = confirmation.WaitContext(ctx)
	return err
}

// queueDepthsAreSeen puts messages into a queue of RabbitMQ, takes some of them without an acknowledgement, and finds on the panels where each of them is.
func (s *system) queueDepthsAreSeen(t *testing.T, expressions []dashboards.Expression) {
	const queue = "pantry"
	ch := s.channel(t, queue)
	for range 7 {
		if err := put(t.Context(), ch, queue); err != nil {
			t.Fatal(err)
		}
	}
	s.depths(t, expressions, queue, 7, 0, 0)
	if _, err := ch.Consume(queue, "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	s.depths(t, expressions, queue, 4, 3, 1) // as many as the prefetch
}

// depths awaits what the panels say of a queue.
func (s *system) depths(t *testing.T, expressions []dashboards.Expression, queue string, ready, unacked, consumers float64) {
	t.Helper()
	for title, want := range map[string]float64{"Messages ready": ready, "Messages given and not acknowledged": unacked, "Consumers": consumers} {
		found := false
		for _, e := range expressions {
			if e.File != "dashboards/queues.json" || e.Place != fmt.Sprintf("panel %q query A", title) {
				continue
			}
			found = true
			await(t, func() error {
				got, err := s.values(t.Context(), e.Expr, "name")
				if n, there := got[queue]; err == nil && (!there || n != want) {
					err = fmt.Errorf("%s: %v, want %v for %s", title, got, want, queue)
				}
				return err
			})
		}
		if !found {
			t.Errorf("queues.json has no panel %q", title)
		}
	}
}

// growUnseen lets a queue grow that nobody consumes, until the test ends.
func (s *system) growUnseen(t *testing.T, queue string) {
	t.Helper()
	ch := s.channel(t, queue)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := put(ctx, ch, queue); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
		done <- nil
	}()
	t.Cleanup(func() { // before the queue is deleted
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// aQueueWithoutConsumerIsAnAlert awaits it for the queue that has grown since the stack was started, and for no other.
func (s *system) aQueueWithoutConsumerIsAnAlert(t *testing.T, queue string) {
	testkit.Await(t, "the alert", 4*time.Minute, func(ctx context.Context) error {
		got, err := s.values(ctx, `ALERTS{alertname="QueueWithoutConsumer", alertstate="firing"}`, "queue")
		if err == nil && (len(got) != 1 || got[queue] != 1) {
			err = fmt.Errorf("it fires for %v, want %s", got, queue)
		}
		return err
	})
}
