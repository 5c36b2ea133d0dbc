package services

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
)

// TestAKilledInstanceIsReplaced: of three instances of a service one is killed while orders arrive, and later it comes back. Each message is sent to it
// twice. The others take over: nothing is lost, each step has its effect once, and the messages of a key are handled in the order of their offsets by
// whoever has their partition, apart from repeats. In real time: a group with several members stops virtual time.
func TestAKilledInstanceIsReplaced(t *testing.T) {
	t.Parallel()
	const orders, victim = 90, Payment + "/2"
	order := newKeyOrder()
	onLoopback(t, func(l *testLab) {
		var placing sync.WaitGroup
		ids := make([]string, orders)
		for number := range orders {
			switch number {
			case orders / 3:
				l.killAndEvict(victim)
			case 2 * orders / 3:
				l.until("the others have done what the killed one had", func() bool { a := l.summary().Forms[Kafka]; return a.Accepted > orders/3 && a.Pending == 0 })
				l.must(l.system.Start(l.Context(), victim))
				l.must(l.system.Ready(l.Context()))
			}
			e := in("r", Kafka)
			e.Number, e.Faults = number, always(Inventory, faults.Duplicate, "")
			placing.Go(func() { ids[number] = l.place(e, tea).id() })
			time.Sleep(3 * time.Millisecond) // the load is a rate
		}
		placing.Wait()
		for _, id := range ids {
			if s := l.await(id); s.Status != Completed {
				t.Errorf("%+v, want it completed", s)
			}
		}
		l.until("all is handled", func() bool {
			lag := l.lag()
			return lag[Payment]+lag[Shipping]+lag[Notification]+lag[Analytics]+lag[Orders] == 0
		})
		a := l.summary().Forms[Kafka]
		if a.Accepted != orders || a.Completed != orders {
			t.Errorf("accounts %+v, want %d completed", a, orders)
		}
		for step, e := range a.Effects {
			if e.Once != orders || e.Twice != 0 || step == Charge && e.Skipped < orders {
				t.Errorf("%s: %+v, want it once for each of %d orders", step, e, orders)
			}
		}
		if pairs, wrong := order.wrong(); wrong != "" || pairs < orders {
			t.Errorf("of %d pairs of messages: %s", pairs, wrong)
		}
		if n := order.instances(Payment); n < 3 {
			t.Errorf("%d instances have handled messages, want each of three", n)
		}
	}, func(c *Config) {
		c.Instances = map[string]int{Payment: 3}
		c.Telemetry.Processors = []sdktrace.SpanProcessor{order}
	})
}

// instances counts the instances of a service that have handled something.
func (o *keyOrder) instances(service string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for key, byOffset := range o.records {
		for _, handlings := range byOffset {
			for _, h := range handlings {
				if key.service == service && !slices.Contains(names, h.instance) {
					names = append(names, h.instance)
				}
			}
		}
	}
	return len(names)
}

// killAndEvict kills an instance and tells its brokers, as its session's end would.
func (l *testLab) killAndEvict(instance string) {
	l.Helper()
	n, err := l.system.find(instance)
	l.must(err)
	evictions := n.evictions()
	l.must(l.system.Kill(instance))
	for _, evict := range evictions {
		testkit.Await(l, "the group is told", patience, func(ctx context.Context) error { return evict(ctx) })
	}
}
