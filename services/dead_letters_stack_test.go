//go:build stack

package services

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// onRealRabbitMQ runs f with a lab on real sockets whose messages go over the RabbitMQ at RABBITMQ_ADDR, under names of its own, which go with it.
func onRealRabbitMQ(t *testing.T, flow *flows.Flow, f func(l *testLab)) {
	t.Helper()
	address := os.Getenv("RABBITMQ_ADDR")
	if address == "" {
		t.Fatal("RABBITMQ_ADDR is empty: start a RabbitMQ with `task rabbitmq` and set RABBITMQ_ADDR to the address that it prints")
	}
	own := func(c *Config) {
		c.RabbitMQ, c.Prefix, c.Flow = []string{address}, fmt.Sprintf("letters-%d.", time.Now().UnixNano()), flow
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := RemoveTopics(ctx, Config{Network: TCP(), RabbitMQ: c.RabbitMQ, Prefix: c.Prefix, Flow: flow}); err != nil {
				t.Error(err)
			}
		})
	}
	onLoopback(t, f, own)
}

// TestRedriveOnARealRabbitMQ: a message whose step fails is tried again, put with the dead letters, sent back, and then done; each effect is had once.
func TestRedriveOnARealRabbitMQ(t *testing.T) {
	onRealRabbitMQ(t, withoutUndo(retrying(t, "payment.Charge", "2 within 5s, backoff 20ms")), func(l *testLab) {
		e := in("r", "rabbitmq")
		e.Faults = []faults.Fault{{Service: Payment, Kind: "error", Value: "no_luck", Share: 1}}
		id := l.place(e, tea).id()
		if s := l.await(id); s.Status != Failed || len(s.Failures) != 1 || !s.Failures[0].DeadLetter || s.Failures[0].Attempts != 3 {
			l.Fatalf("%+v, want it failed after three attempts, with a dead letter", s)
		}
		l.system.config.AllowFaults = false // the bug is mended
		l.must(l.system.Stop(l.Context(), Payment))
		l.must(l.system.Start(l.Context(), Payment))
		l.must(l.system.Ready(l.Context()))
		for _, want := range []int{1, 0} {
			sent, err := Redrive(l.Context(), l.config, "stock.reserved", 100)
			l.must(err)
			if sent[flows.RabbitMQ] != want {
				t.Errorf("%v sent back, want %d", sent, want)
			}
			l.until("the order is completed", func() bool { return l.state(id).Status == Completed })
		}
		a := l.summary().Forms["rabbitmq"]
		if a.Accepted != 1 || a.Completed != 1 || a.Failed != 0 || a.DeadLetters != 1 {
			t.Errorf("accounts %+v", a)
		}
		for step, effect := range a.Effects {
			if effect.Once != 1 || effect.Twice != 0 {
				t.Errorf("%s: %+v, want it once", step, effect)
			}
		}
	})
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
