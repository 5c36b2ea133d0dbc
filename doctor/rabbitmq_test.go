package doctor

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp/amqptest"
)

// rabbit is a broker in this process with the queues of two services and the dead letters.
func rabbit(t *testing.T) (rabbitPart, *amqp.Channel) {
	t.Helper()
	broker := &amqptest.Broker{}
	t.Cleanup(broker.Close)
	address, err := broker.Listen()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := broker.Dial(amqp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, queue := range []string{"run7.orders", "run7.payment", "run7.tracelab.dead"} {
		if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	return rabbitPart{addresses: []string{address}, prefix: "run7.", services: []string{"orders", "payment"}}, ch
}

func consumeAll(t *testing.T, ch *amqp.Channel, queues ...string) {
	t.Helper()
	if err := ch.Qos(1, 0, false); err != nil {
		t.Fatal(err)
	}
	for _, queue := range queues {
		if _, err := ch.Consume(queue, "", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRabbitMQAsItShouldBe(t *testing.T) {
	part, ch := rabbit(t)
	consumeAll(t, ch, "run7.orders", "run7.payment")
	if err := ch.Publish("", "run7.tracelab.dead", false, false, amqp.Publishing{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		check func(context.Context) (nothing, string, error)
		want  string
	}{
		"reachable": {part.reachable, "at " + part.addresses[0]},
		"consumers": {part.queuesHaveConsumers, "2 queues, each with its service"},
		"keep up":   {part.queuesKeepUp, "no queue has more than 0 messages; 1 message that no service can read in run7.tracelab.dead"},
	} {
		if _, seen, err := c.check(t.Context()); err != nil || !strings.Contains(seen, c.want) {
			t.Errorf("%s: seen %q, error %v, want %q", name, seen, err, c.want)
		}
	}
}

func TestRabbitMQBroken(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for name, c := range map[string]struct {
		check func(*testing.T, context.Context) error
		want  string
	}{
		"nobody listens": {func(t *testing.T, ctx context.Context) error {
			_, _, err := rabbitPart{addresses: []string{"127.0.0.1:1"}}.reachable(ctx)
			return err
		}, "127.0.0.1:1"},
		"somebody else listens": {func(t *testing.T, ctx context.Context) error {
			_, _, err := rabbitPart{addresses: []string{silent.Addr().String()}}.reachable(ctx)
			return err
		}, silent.Addr().String()},
		"a service that never started": {func(t *testing.T, ctx context.Context) error {
			part, _ := rabbit(t)
			part.services = append(part.services, "shipping")
			_, _, err := part.queuesHaveConsumers(ctx)
			return err
		}, "run7.shipping"},
		"a service that is gone": {func(t *testing.T, ctx context.Context) error {
			part, ch := rabbit(t)
			consumeAll(t, ch, "run7.orders")
			_, _, err := part.queuesHaveConsumers(ctx)
			return err
		}, "queue run7.payment has no consumer"},
		"a service that hangs": {func(t *testing.T, ctx context.Context) error {
			part, ch := rabbit(t)
			consumeAll(t, ch, "run7.payment")
			for i := range fewRecords + 2 {
				if err := ch.Publish("", "run7.payment", false, false, amqp.Publishing{Body: fmt.Append(nil, i)}); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := part.queuesKeepUp(ctx)
			return err
		}, fmt.Sprintf("%d messages wait in queue run7.payment", fewRecords+1)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			if err := c.check(t, ctx); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
