//go:build stack

package rabbitmq

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"tracelab/internal/rabbitmq"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// These tests need a real RabbitMQ, at RABBITMQ_ADDR; one starts its own, to kill it.

// onRealBroker is a bubble in real time with names of its own on a real broker, which go with it.
func onRealBroker(t *testing.T, address string, classic bool) *bubble {
	t.Helper()
	var dialer net.Dialer
	b := &bubble{Bubble: carriertest.New(t, net.Listen, dialer.DialContext), address: address, classic: classic, prefix: fmt.Sprintf("carrier-%d.", time.Now().UnixNano())}
	t.Cleanup(func() {
		b.Must(Remove(context.Background(), b.Dial, []string{address}, b.prefix, []string{"test", "other"}))
	})
	return b
}

func realBroker(t *testing.T) string {
	t.Helper()
	address := os.Getenv("RABBITMQ_ADDR")
	if address == "" {
		t.Fatal("RABBITMQ_ADDR is empty: start a RabbitMQ with `task rabbitmq` and set RABBITMQ_ADDR to the address that it prints")
	}
	return address
}

// TestStackMessages sends through a real broker: good, unreadable and too many at once, on both kinds of queue.
func TestStackMessages(t *testing.T) {
	address := realBroker(t)
	for kind, classic := range map[string]bool{"quorum": false, "classic": true} {
		t.Run(kind, func(t *testing.T) {
			b := onRealBroker(t, address, classic)
			var got handled
			r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
			b.send("{", event("good"))
			const n = 200
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					if err := r.Publish(t.Context(), "orders", eventOf(fmt.Sprint(i))); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			b.await("all messages", func() bool { return got.count() == n+1 })
			b.drainAndClose(r)
			b.await("an empty queue", func() bool { return b.depth("test") == 0 && b.depth("tracelab.dead") == 1 })
		})
	}
}

// TestStackDrain stops a service in the midst of its queue on a real broker.
func TestStackDrain(t *testing.T) { drains(t, onRealBroker(t, realBroker(t), false)) }

// TestStackKilledBroker kills the broker (SIGKILL) three times in mid-run: what it has acknowledged is handled, by a service that consumes all the
// while and by one that comes afterwards.
func TestStackKilledBroker(t *testing.T) {
	node := rabbitmq.Node{Dir: t.TempDir(), Child: true}
	start := func() rabbitmq.Process {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		p, err := node.Start(ctx, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := start()
	_, port, err := net.SplitHostPort(first.Address)
	if err != nil {
		t.Fatal(err)
	}
	if node.Port, err = strconv.Atoi(port); err != nil { // it comes back where it was
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(context.Background(), t.Output()); err != nil {
			t.Error(err)
		}
	})
	b := onRealBroker(t, first.Address, false)
	var got handled
	r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
	const n = 600
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			if err := r.Publish(t.Context(), "orders", eventOf(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		time.Sleep(time.Second)
		if err := node.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		start()
	}
	wg.Wait()
	unique := func(h *handled) int {
		ids := h.all()
		slices.Sort(ids)
		return len(slices.Compact(ids))
	}
	b.await("all messages", func() bool { return unique(&got) == n })
	b.drainAndClose(r)
	t.Logf("%d messages came %d times", n, got.count())
	var later handled
	other, err := b.tryOpen("other", func(_ context.Context, _ string, e *orderpb.Event) error { later.add(e); return nil })
	b.Must(err)
	b.await("all messages of the other", func() bool { return unique(&later) == n })
	b.drainAndClose(other)
}
