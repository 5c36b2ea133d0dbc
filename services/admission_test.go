package services

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// limited is the flow order, whose payment has few workers and a queue with an end.
func limited(t *testing.T, payment string) *flows.Flow {
	t.Helper()
	text, err := flows.Source("order")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flows.Parse("order.yaml", bytes.Replace(text, []byte("payment.Charge: {"), []byte("payment.Charge: {"+payment+", "), 1))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// surge places orders at intervals, all of them side by side, and returns how many were accepted, and how many refused because a queue was full.
func (l *testLab) surge(form Form, orders int, every time.Duration) (accepted, refused int) {
	l.Helper()
	var mu sync.Mutex
	var clients sync.WaitGroup
	for number := range orders {
		clients.Go(func() {
			e := in("r", form)
			e.Number, e.Seed = number, 1
			a := l.place(e, tea)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.status/100 == 2:
				accepted++
			case a.status == http.StatusServiceUnavailable && a.problem(l.T).Type == "/problems/"+carrier.QueueFull && a.header.Get("Retry-After") == "1":
				refused++
			default:
				l.Errorf("%s: answered %d %s", form, a.status, a.body)
			}
		})
		time.Sleep(every)
	}
	clients.Wait()
	return accepted, refused
}

// TestEqualBoundsRefuseAlike: messages beyond the places of a queue are refused where orders come in, about as many as calls are by a queue of the
// same length; all that was accepted is done, the refusals are counted, and a queue without an end refuses nobody.
func TestEqualBoundsRefuseAlike(t *testing.T) {
	t.Parallel() // in virtual time
	const orders = 40
	for _, c := range []struct {
		queue string
		forms []Form
	}{{", queue: 6", []Form{GRPC, Kafka, "rabbitmq"}}, {"", []Form{Kafka}}} {
		inBubble(t, func(l *testLab) {
			share := map[Form]int{}
			for _, form := range c.forms {
				accepted, refused := l.surge(form, orders, 5*time.Millisecond)
				l.until("all that was accepted is done", func() bool { return l.summary().Forms[form].Completed == accepted })
				sums := l.summary().Forms[form]
				counted := l.system.calls.of("r")[form][Charge].QueueFull
				if sums.Pending+sums.Failed != 0 && form != GRPC || accepted+refused != orders || counted != refused {
					t.Errorf("%s: %d accepted, %d refused, %d counted, accounts %+v", form, accepted, refused, counted, sums)
				}
				share[form] = refused
			}
			for _, form := range c.forms {
				if c.queue == "" && share[form] != 0 || c.queue != "" && (share[form] < 8 || share[form]-share[GRPC] > 8 || share[GRPC]-share[form] > 8) {
					t.Errorf("%s: refused %d of %d, by calls %d", form, share[form], orders, share[GRPC])
				}
			}
		}, func(cfg *Config) { cfg.Flow = limited(t, "workers: 2"+c.queue) })
	}
}

// TestAMessageThatWaitsForItsNextAttemptIsOne: what is done behind it in its partition is done, though its group commits no further. Nobody is
// refused for it.
func TestAMessageThatWaitsForItsNextAttemptIsOne(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		bad := in("r", Kafka)
		bad.Faults = []faults.Fault{{Service: Payment, Kind: "error", Value: "busy", Share: 1, Attempt: 1}}
		id := l.place(bad, tea).id()
		time.Sleep(100 * time.Millisecond)
		if accepted, refused := l.surge(Kafka, 24, 25*time.Millisecond); refused > 0 || accepted != 24 {
			t.Errorf("%d refused of 24 that payment has time for", refused)
		}
		if s := l.state(id); s.Status != Accepted {
			t.Errorf("the first order is %s already: the test shows nothing", s.Status)
		}
		if s := l.await(id); s.Status != Completed {
			t.Errorf("the first order: %+v", s)
		}
	}, func(c *Config) {
		c.Flow, c.Partitions = limited(t, "workers: 2, queue: 6, retry: 2 within 10s, backoff 3s"), 1
	})
}

// TestABacklogThatNobodyTells refuses no order, and one that was seen long ago is looked at again.
func TestABacklogThatNobodyTells(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		var b backlogs
		key := queueKey{flows.KafkaLog, "t", "payment"}
		says := func(n int, err error) func(queueKey) (int, error) {
			return func(queueKey) (int, error) { return n, err }
		}
		if n := b.waiting(l.Context(), key, says(7, nil)); n != 7 {
			t.Errorf("first: %d, want 7", n)
		}
		b.admitted([]queueKey{key})
		if n := b.waiting(l.Context(), key, says(99, nil)); n != 8 {
			t.Errorf("with one that was let in: %d, want 8", n)
		}
		time.Sleep(2 * backlogStale)
		if n := b.waiting(l.Context(), key, says(2, nil)); n != 2 {
			t.Errorf("later: %d, want 2", n)
		}
		time.Sleep(2 * backlogStale)
		if n := b.waiting(l.Context(), key, says(99, fmt.Errorf("away"))); n != 0 {
			t.Errorf("when nobody tells: %d", n)
		}
		b.looks.Wait()
		if _, err := l.system.keeper.look(queueKey{flows.KafkaLog, "no.such.topic", "payment"}); err == nil || !strings.Contains(err.Error(), "no.such.topic") {
			t.Errorf("a topic that is not there: %v", err)
		}
	})
}
