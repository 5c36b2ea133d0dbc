package lab_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/otelamqp/amqptest"
	"tracelab/services"
)

// TestLiveQueues: what waits in RabbitMQ's queue of a service that is away, and its dead letters, are counted while somebody looks; that it is away is said.
func TestLiveQueues(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		network := (&virtualNetwork{}).network()
		broker, address := rabbitAt(t, network, "127.0.0.1:0")
		defer broker.Close()
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{"rabbitmq"}, RabbitMQ: []string{address}, Network: network}, 0)
		do := func(what string) {
			t.Helper()
			if err := l.Do(context.Background(), lab.Event{Do: what, Part: "payment"}); err != nil {
				t.Fatal(err)
			}
		}
		place := func() {
			t.Helper()
			if _, err := l.Place(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		until := func(what string, is func(lab.Snapshot) bool) {
			t.Helper()
			testkit.Await(t, what, time.Minute, func(context.Context) error {
				if s := l.Snapshot(); !is(s) {
					return fmt.Errorf("queues %v, dead letters %v, problems %q", s.Queues, s.Dead, s.Problems)
				}
				return nil
			})
		}
		do("kill")
		place()
		until("one to wait for payment", func(s lab.Snapshot) bool {
			return slices.Contains(s.Queues, lab.QueueDepth{Queue: "payment", Messages: 1})
		})
		do("start")
		until("nothing to wait", func(s lab.Snapshot) bool {
			return s.AtRest && slices.Contains(s.Queues, lab.QueueDepth{Queue: "payment"}) && slices.Contains(s.Dead, lab.DeadLetters{Topic: "tracelab.dead"})
		})
		if err := l.SetConditions(lab.Conditions{Faults: faults("inventory:poison")}); err != nil {
			t.Fatal(err)
		}
		place()
		until("a dead letter", func(s lab.Snapshot) bool {
			return s.AtRest && slices.Contains(s.Dead, lab.DeadLetters{Topic: "tracelab.dead", Records: 1}) && s.Forms[0].Accounts.Completed == 2
		})
		broker.Close()
		until("the RabbitMQ to be away", func(s lab.Snapshot) bool {
			return strings.Contains(strings.Join(s.Problems, "\n"), "the RabbitMQ does not answer")
		})
		again, _ := rabbitAt(t, network, address)
		defer again.Close()
		until("a RabbitMQ that forgot all to be asked", func(s lab.Snapshot) bool {
			return len(s.Problems) == 0 && slices.Contains(s.Dead, lab.DeadLetters{Topic: "tracelab.dead"})
		})
		closeLive(t, l)
	})
}

// rabbitAt is a broker at an address of a network.
func rabbitAt(t *testing.T, network services.Network, address string) (broker *amqptest.Broker, at string) {
	t.Helper()
	listener, err := network.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	broker = &amqptest.Broker{}
	broker.Serve(listener)
	return broker, listener.Addr().String()
}
