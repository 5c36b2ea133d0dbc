package lab_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestWhatWaitsIsSeenInEachBroker: a run may end early only when nothing waits. A message waits in its broker while its service is away, and in its
// service while that works on it or on others before it; a broker that is away may have any.
func TestWhatWaitsIsSeenInEachBroker(t *testing.T) {
	t.Parallel() // in virtual time
	for _, form := range []services.Form{services.Kafka, "rabbitmq"} {
		t.Run(string(form), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := (&virtualNetwork{}).network()
				rabbit, address := rabbitAt(t, network, "127.0.0.1:0")
				defer func() { rabbit.Close() }()
				l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{form}, RabbitMQ: []string{address}, Network: network, Workers: 2, Faults: faults("payment:delay=10s")}, 0)
				defer closeLive(t, l)
				do := func(what, part string) {
					t.Helper()
					if err := l.Do(context.Background(), lab.Event{Do: what, Part: part}); err != nil {
						t.Fatal(err)
					}
				}
				waits := func(want bool, when string) {
					t.Helper()
					testkit.Await(t, when, 8*time.Second, func(ctx context.Context) error { // the delay is longer
						if lab.NothingWaits(ctx, l) == want {
							return errors.New("it is not seen")
						}
						return nil
					})
				}
				waits(false, "nothing waits before anything was placed")
				do("kill", "payment")
				if _, err := l.Place(t.Context()); err != nil {
					t.Fatal(err)
				}
				waits(true, "a message waits for a service that is away")
				do("start", "payment")
				if form == "rabbitmq" {
					testkit.Await(t, "payment to have taken it", time.Minute, func(context.Context) error {
						for _, queue := range rabbit.Queues() {
							if ready, unacked := rabbit.Depth(queue); ready == 0 && unacked == 1 {
								return nil
							}
						}
						return errors.New("nobody has")
					})
				}
				waits(true, "a service works on a message")
				testkit.Await(t, "the order to be done", time.Minute, func(context.Context) error {
					if s := l.Snapshot(); s.Forms[0].Accounts.Completed != 1 {
						return fmt.Errorf("%+v", s.Forms[0].Accounts)
					}
					return nil
				})
				waits(false, "nothing waits when all is done")
				rabbit.Close()
				waits(true, "a broker that is away may have any")
				rabbit, _ = rabbitAt(t, network, address) // what the lab has there is removed in the end
			})
		})
	}
}
