package services

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tracelab/services/faults"
)

// placeMany places an order of each form every few milliseconds until the context ends, and returns the answers when
// all have come.
func (l *testLab) placeMany(ctx context.Context, every time.Duration, harm []faults.Fault) func() []answer {
	var mu sync.Mutex
	var answers []answer
	var wg sync.WaitGroup
	address := l.system.Address(Gateway)
	wg.Go(func() {
		for number := 0; ctx.Err() == nil; number++ {
			for _, form := range Forms() {
				e := in("r", form)
				e.Number, e.Faults = number, harm
				wg.Go(func() {
					a := l.placeAt(context.Background(), address, e, tea)
					mu.Lock()
					defer mu.Unlock()
					answers = append(answers, a)
				})
			}
			time.Sleep(every)
		}
	})
	return func() []answer { wg.Wait(); return answers }
}

// TestShutdownInMidWork: whenever it comes, each order that was accepted is final, each message that was consumed is
// committed, each span has ended, and it takes no longer than the orders need.
func TestShutdownInMidWork(t *testing.T) {
	for _, after := range []int{1, 13, 30, 47, 90} { // ms
		inBubble(t, func(l *testLab) {
			if took := shutdownInMidWork(l, time.Duration(after)*time.Millisecond); took > 2*time.Second {
				l.Errorf("after %d ms: the shutdown took %v, though no order takes that long", after, took)
			}
		})
	}
}

// TestShutdownInMidWorkOnLoopback is the same with real sockets and real time, in which a busy machine may take as long as it has.
func TestShutdownInMidWorkOnLoopback(t *testing.T) {
	before := goleak.IgnoreCurrent()
	onLoopback(t, func(l *testLab) {
		shutdownInMidWork(l, 80*time.Millisecond)
	})
	goleak.VerifyNone(t, before)
}

// shutdownInMidWork shuts the services down while orders come, and returns how long that took.
func shutdownInMidWork(l *testLab, after time.Duration) time.Duration {
	l.Helper()
	ctx, cancel := context.WithCancel(l.Context())
	defer cancel()
	orders := l.system.keeper
	all := l.placeMany(ctx, 7*time.Millisecond, nil)
	time.Sleep(after)
	begin := time.Now()
	time.AfterFunc(30*time.Millisecond, cancel) // orders go on coming while the intake stops
	if err := l.stop(10 * time.Second); err != nil {
		l.Errorf("after %v: %v", after, err)
	}
	took := time.Since(begin)
	cancel()
	accepted := 0
	for _, a := range all() {
		if a.status/100 == 2 {
			accepted++
			if s, known := orders.ledger.stateOf(a.id()); !known || s.Status != Completed {
				l.Errorf("after %v: order %s was answered %d and is %+v, want completed", after, a.id(), a.status, s)
			}
		}
	}
	sums := orders.ledger.sumsOf("r").Forms
	for form, sum := range sums {
		if sum.Pending != 0 || sum.Accepted != sum.Completed+sum.Failed {
			l.Errorf("after %v: %s: %+v, want no order pending", after, form, sum)
		}
	}
	if after > 20*time.Millisecond && accepted == 0 {
		l.Errorf("after %v: no order was accepted: the test shows nothing", after)
	}
	if diff := cmp.Diff(nothingLeft, l.lag()); diff != "" {
		l.Errorf("after %v: not committed (-want +got):\n%s", after, diff)
	}
	if started, ended := len(l.spans.Started()), len(l.ended()); started != ended {
		l.Errorf("after %v: %d spans started, %d ended", after, started, ended)
	}
	return took
}

// TestShutdownEndsByItsDeadline, whatever hangs, and says what it has cut off; the others' messages are committed.
func TestShutdownEndsByItsDeadline(t *testing.T) {
	for _, form := range Forms() {
		for _, service := range []string{Orders, Inventory, Payment, Shipping} {
			inBubble(t, func(l *testLab) {
				name := fmt.Sprint(form, " with ", service, " hanging")
				good := l.place(in("good", Kafka), tea)
				l.await(good.id())
				e := in("r", form)
				e.Faults = always(service, "hang", "30s")
				address := l.system.Address(Gateway)
				done := make(chan answer)
				go func() { done <- l.placeAt(context.Background(), address, e, tea) }()
				time.Sleep(200 * time.Millisecond)
				begin := time.Now()
				err := l.stop(8 * time.Second)
				if took := time.Since(begin); took > 9*time.Second || err == nil {
					t.Errorf("%s: the shutdown took %v with a deadline of 8s, error %v", name, took, err)
				}
				if behind := hangsBehindAMessage(form, service); behind != strings.Contains(fmt.Sprint(err), service+": messages still in work") {
					t.Errorf("%s: %v, want it to say whether messages of %s are left", name, err, service)
				}
				<-done
				lag := l.lag()
				for group, n := range lag {
					if n > 1 || n == 1 && group != service {
						t.Errorf("%s: not committed: %v, want one message of %s at the most", name, lag, service)
					}
				}
				time.Sleep(time.Minute) // the hang ends
				if started, ended := len(l.spans.Started()), len(l.ended()); started != ended {
					t.Errorf("%s: %d spans started, %d ended: those of what was cut off are not heard of", name, started, ended)
				}
			})
		}
	}
}

// hangsBehindAMessage tells whether a message leads to the first step of a service.
func hangsBehindAMessage(form Form, service string) bool {
	for _, hop := range planFor(form).Hops {
		if hop.Step.Service() == service {
			return hop.By.IsMessage()
		}
	}
	return false
}

// TestShutdownWithoutABroker: it has gone away in mid-work.
func TestShutdownWithoutABroker(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		ctx, cancel := context.WithCancel(l.Context())
		defer cancel()
		orders := l.system.keeper
		all := l.placeMany(ctx, 5*time.Millisecond, nil)
		time.Sleep(60 * time.Millisecond)
		l.cluster.Close()
		cancel()
		begin := time.Now()
		if err := l.stop(8 * time.Second); err == nil {
			t.Error("no error, though messages could not be handed on")
		}
		if took := time.Since(begin); took > 9*time.Second {
			t.Errorf("the shutdown took %v with a deadline of 8s", took)
		}
		all()
		pending := 0
		for form, sum := range orders.ledger.sumsOf("r").Forms {
			pending += sum.Pending
			if sum.Accepted != sum.Completed+sum.Failed+sum.Pending {
				t.Errorf("%s: %+v do not add up", form, sum)
			}
		}
		if pending == 0 {
			t.Error("no order is pending: the test shows nothing")
		}
		if started, ended := len(l.spans.Started()), len(l.ended()); started != ended {
			t.Errorf("%d spans started, %d ended", started, ended)
		}
	})
}

// TestShutdownWithIdleConnections of many clients, used and never used, HTTP and gRPC. net/http waits for one that has not
// said a word until its headers are overdue, 2 s after it was made.
func TestShutdownWithIdleConnections(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for range 50 {
			for _, service := range Names() {
				l.dial(service).Connect()
			}
		}
		var probes sync.WaitGroup
		for range 20 {
			probes.Go(func() { l.probe(Gateway, "/healthz") })
		}
		probes.Wait()
		time.Sleep(time.Second)
		begin := time.Now()
		l.must(l.stop(30 * time.Second))
		if took := time.Since(begin); took > 1500*time.Millisecond {
			t.Errorf("the shutdown took %v, want the second that an unused connection has left at the most", took)
		}
	})
	inBubble(t, func(l *testLab) {
		conn, err := l.config.Network.Dial(l.Context(), "tcp", l.system.Address(Payment))
		l.must(err)
		defer func() { _ = conn.Close() }()
		time.Sleep(time.Second)
		begin := time.Now()
		l.must(l.stop(30 * time.Second))
		if took := time.Since(begin); took > 1500*time.Millisecond {
			t.Errorf("the shutdown took %v, want the second that the connection has left", took)
		}
	})
}
