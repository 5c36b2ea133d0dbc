//go:build stack

package services

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// realRabbitMQ lets messages go over the RabbitMQ at RABBITMQ_ADDR, under names of the test's own, which go with it.
func realRabbitMQ(t *testing.T, flow *flows.Flow) func(*Config) {
	t.Helper()
	address := os.Getenv("RABBITMQ_ADDR")
	if address == "" {
		t.Fatal("RABBITMQ_ADDR is empty: start a RabbitMQ with `task rabbitmq` and set RABBITMQ_ADDR to the address that it prints")
	}
	return func(c *Config) {
		c.RabbitMQ, c.Prefix, c.Flow = []string{address}, fmt.Sprintf("letters-%d.", time.Now().UnixNano()), flow
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := RemoveTopics(ctx, Config{Network: TCP(), RabbitMQ: c.RabbitMQ, Prefix: c.Prefix, Flow: flow}); err != nil {
				t.Error(err)
			}
		})
	}
}

// onRealRabbitMQ runs f with a lab on real sockets whose messages go over a real RabbitMQ.
func onRealRabbitMQ(t *testing.T, flow *flows.Flow, f func(l *testLab)) {
	t.Helper()
	onLoopback(t, f, realRabbitMQ(t, flow))
}

// TestRedriveOnARealRabbitMQ: a message whose step fails is tried again, put with the dead letters, sent back, and then done; each effect is had once,
// and what was undone once more, in another generation.
func TestRedriveOnARealRabbitMQ(t *testing.T) {
	flow := retrying(t, "payment.Charge", "2 within 5s, backoff 20ms")
	for name, c := range map[string]struct {
		flow *flows.Flow
		want Accounts
	}{
		"undone":     {flow, Accounts{Accepted: 1, Completed: 1, DeadLetters: 1, Retried: 2, BegunAnew: 1}},
		"not undone": {withoutUndo(flow), Accounts{Accepted: 1, Completed: 1, DeadLetters: 1, Retried: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			onRealRabbitMQ(t, c.flow, func(l *testLab) { l.redrivesOnce("rabbitmq", c.want) })
		})
	}
}

// redrivesOnce redrives an order whose charge has failed, and compares its accounts.
func (l *testLab) redrivesOnce(form Form, want Accounts) {
	l.Helper()
	id := l.place(failsFor(form, Payment), tea).id()
	if s := l.await(id); s.Status != Failed || len(s.Failures) != 1 || !s.Failures[0].DeadLetter || s.Failures[0].Attempts != 3 {
		l.Fatalf("%+v, want it failed after three attempts, with a dead letter", s)
	}
	l.mend(Payment)
	for _, sent := range []int{1, 0} {
		if n := l.redrive("stock.reserved"); n != sent {
			l.Errorf("%d sent back, want %d", n, sent)
		}
		l.until("the order is completed", func() bool { return l.state(id).Status == Completed })
	}
	a := l.summary().Forms[form]
	for step, e := range a.Effects {
		if n := map[bool]int{true: 1 + want.BegunAnew, false: 1}[step == Reserve]; e.Once != n || e.Twice != 0 {
			l.Errorf("%s: %+v, want it %d times", step, e, n)
		}
	}
	want.Effects = a.Effects
	if diff := cmp.Diff(want, a); diff != "" {
		l.Errorf("accounts (-want +got):\n%s", diff)
	}
	l.until("what was undone is counted", func() bool { return l.countsOf(form, "inventory.Release").Undone == want.BegunAnew })
}

// TestRepliesOnARealRabbitMQ: of two instances of orders the one that does the last step tells the other by a message; an order without an end in time
// is answered 504, and done all the same.
func TestRepliesOnARealRabbitMQ(t *testing.T) {
	const orders = 24
	twoEntries(t, func(l *testLab, _ []*System) {
		late := make(chan answer, 1)
		go func() {
			e := in("late", "told")
			e.Faults = always(Shipping, "delay", "5s")
			late <- l.place(e, tea)
		}()
		l.placeReplies("told", orders)
		l.checkReplies("told", "tracelab:order.completed", orders)
		a := <-late
		if a.status != http.StatusGatewayTimeout {
			t.Errorf("an order that takes too long: answered %d %s", a.status, a.body)
		}
		if s := l.await(a.id()); s.Status != Completed {
			t.Errorf("%+v, want it completed", s)
		}
	}, realRabbitMQ(t, withRepliesBy(t)))
}

// TestUndoOnARealRabbitMQ: when the card is declined for good, the stock is released, once.
func TestUndoOnARealRabbitMQ(t *testing.T) {
	onRealRabbitMQ(t, flows.Order(), func(l *testLab) {
		e := in("r", "rabbitmq")
		e.Faults = []faults.Fault{{Service: Payment, Kind: "error", Value: "payment_declined", Share: 1}}
		if s := l.await(l.place(e, tea).id()); s.Status != Failed {
			l.Fatalf("%+v, want it failed", s)
		}
		l.until("the stock is released", func() bool { return l.countsOf("rabbitmq", "inventory.Release").Undone == 1 })
	})
}
