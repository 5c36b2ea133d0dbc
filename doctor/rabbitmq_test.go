package doctor

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp/amqptest"
	"tracelab/services"
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
	if err := ch.ExchangeDeclare("run7.tracelab", amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
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
	t.Parallel() // most of it is waiting
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	var all sync.WaitGroup
	defer all.Wait()
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
		"a user that may not enter": {func(t *testing.T, ctx context.Context) error {
			_, _, err := rabbitPart{addresses: []string{refusing(t, amqpStart)}}.reachable(ctx)
			return err
		}, "it refuses the user guest"},
		"a vhost that is not there": {func(t *testing.T, ctx context.Context) error {
			_, _, err := rabbitPart{addresses: []string{refusing(t, amqpStart, amqpTune, amqpClose)}}.reachable(ctx)
			return err
		}, "it has no vhost / for the user guest"},
		"an exchange that is gone": {func(t *testing.T, ctx context.Context) error {
			part, ch := rabbit(t)
			if err := ch.ExchangeDelete("run7.tracelab", false, false); err != nil {
				t.Fatal(err)
			}
			_, _, err := part.queuesHaveConsumers(ctx)
			return err
		}, "exchange run7.tracelab"},
		"an order that hangs in a queue": {func(t *testing.T, ctx context.Context) error {
			part, ch := rabbit(t)
			if err := ch.Publish("", "run7.payment", false, false, amqp.Publishing{}); err != nil {
				t.Fatal(err)
			}
			return part.stuck(ctx, &placed{id: "o-1"}, services.State{Status: services.Accepted})
		}, "order o-1 is accepted; done: nothing; 1 message in queue run7.payment"},
		"an order that hangs in a service": {func(t *testing.T, ctx context.Context) error {
			part, _ := rabbit(t)
			return part.stuck(ctx, &placed{id: "o-1"}, services.State{Status: services.Accepted})
		}, "no message waits in a queue"},
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
		all.Go(func() { // most of it is waiting
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				if err := c.check(t, ctx); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
}

// What a broker says, as frames: it begins, sets limits, and closes the connection with the code 530, as RabbitMQ does for a vhost that is not there.
const (
	amqpStart = "\x01\x00\x00\x00\x00\x00\x1c\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US\xce"
	amqpTune  = "\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1e\x07\xff\x00\x02\x00\x00\x00\x00\xce"
	amqpClose = "\x01\x00\x00\x00\x00\x00\x13\x00\x0a\x00\x32\x02\x12\x08no vhost\x00\x0a\x00\x28\xce"
)

// refusing is the address of a broker that says these frames, each for one of the client's, and then closes the connection, as RabbitMQ does behind the
// first when the user may not enter.
func refusing(t *testing.T, frames ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, len("AMQP0091"))) // the client's hello; what goes wrong here, the client sees
			for _, frame := range frames {
				_, _ = io.WriteString(conn, frame)
				readFrame(conn)
				if frame == amqpTune {
					readFrame(conn) // the client has answered with limits, and opens a vhost
				}
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// readFrame reads one frame: seven bytes, the last four of which are its length, and one behind it.
func readFrame(conn net.Conn) {
	head := make([]byte, 7)
	if _, err := io.ReadFull(conn, head); err == nil {
		_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[3:]))+1)
	}
}
