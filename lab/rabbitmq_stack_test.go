//go:build stack

package lab_test

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/internal/rabbitmq"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// rabbitAddress is a real RabbitMQ's. A test that needs one fails without it: a skip would hide that nothing was tested.
func rabbitAddress(t *testing.T) string {
	t.Helper()
	address := os.Getenv("RABBITMQ_ADDR")
	if address == "" {
		t.Fatal("RABBITMQ_ADDR is empty: start a RabbitMQ with `task rabbitmq` and set RABBITMQ_ADDR to the address that it prints")
	}
	return address
}

const rabbitOrders = 500

func runOnRabbitMQ(t *testing.T, c lab.Config) *lab.Result {
	t.Helper()
	c.Orders, c.Seed, c.Timeout, c.Deadline, c.Out, c.Version = rabbitOrders, 1, 30*time.Second, 60*time.Second, t.TempDir(), "test"
	if c.Clients == 0 {
		c.Rate = 80
	}
	if c.Forms == nil {
		c.Forms = []services.Form{services.GRPC, "rabbitmq"}
	}
	result, err := lab.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, result)
	for form, f := range result.Forms {
		if a := f.Orders; a.Placed != rabbitOrders || a.Completed != rabbitOrders || a.Unanswered > 0 || f.Incomplete > 0 {
			t.Errorf("%s: %+v, %d journeys incomplete: each order must be answered and completed", form, a, f.Incomplete)
		}
	}
	return result
}

// TestRabbitMQ runs 500 orders by calls, over the embedded Kafka and over a real RabbitMQ in one run: the accounts balance, and nothing of the run
// is left on the broker.
func TestRabbitMQ(t *testing.T) {
	address := rabbitAddress(t)
	// Clients that wait for their answers never ask for more than a busy machine can do. What comes at a rate piles up there, until a message is not
	// acknowledged within 5 s and its order is answered 503, though it is done.
	result := runOnRabbitMQ(t, lab.Config{RabbitMQ: []string{address}, Clients: 12, Forms: []services.Form{services.GRPC, services.Kafka, "rabbitmq"}})
	if len(result.Problems) > 0 {
		t.Errorf("problems %q", result.Problems)
	}
	for form, f := range result.Forms {
		if f.Orders.Errors > 0 {
			t.Errorf("%s: %d errors", form, f.Orders.Errors)
		}
	}
	conn, err := amqp.Dial("amqp://guest:guest@" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, service := range flows.Order().Services() {
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.QueueDeclarePassive(topicPrefix(result)+service, true, false, false, false, nil); err == nil {
			t.Errorf("queue %s%s is left on the broker", topicPrefix(result), service)
		}
	}
}

// TestRabbitMQKilledInMidRun kills the broker (SIGKILL) while orders arrive, and starts it again. Calls do not notice; each order that is carried by
// messages gets an answer and is completed.
func TestRabbitMQKilledInMidRun(t *testing.T) {
	node := rabbitmq.Node{Dir: t.TempDir(), Child: true}
	start := func() rabbitmq.Process {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // the test may have failed already
		defer cancel()
		p, err := node.Start(ctx, t.Output())
		if err != nil {
			t.Error(err)
		}
		return p
	}
	first := start()
	t.Cleanup(func() {
		if err := node.Stop(context.Background(), t.Output()); err != nil {
			t.Error(err)
		}
	})
	_, port, err := net.SplitHostPort(first.Address)
	if err != nil {
		t.Fatal(err)
	}
	if node.Port, err = strconv.Atoi(port); err != nil { // it comes back where it was
		t.Fatal(err)
	}
	var once sync.Once
	back := make(chan struct{})
	result := runOnRabbitMQ(t, lab.Config{RabbitMQ: []string{first.Address}, Progress: func(p lab.Progress) {
		if p.Answered < rabbitOrders/2 {
			return
		}
		once.Do(func() {
			go func() {
				defer close(back)
				if err := node.Kill(context.Background()); err != nil {
					t.Error(err)
				}
				start()
			}()
		})
	}})
	select {
	case <-back:
	default:
		<-back
		t.Fatal("the run was over before the broker was back: nothing was tested")
	}
	for form, f := range result.Forms {
		if form == services.GRPC && f.Orders.Errors > 0 {
			t.Errorf("calls need no broker, and %d of them failed", f.Orders.Errors)
		}
		t.Logf("%s: %+v", form, f.Orders)
	}
	if s := strings.Join(result.Problems, "\n"); s != "" {
		t.Logf("problems: %s", s)
	}
}
